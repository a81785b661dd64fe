"""The action that gives people their kubeconfig, without anybody's credential."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from tests.fakes.acting import refused
from tests.fakes.certificates.authority import root
from tests.fakes.juju.model import Model
from tests.fakes.kubernetes.server import FakeCluster
from tests.fakes.machine import ADMIN_TOKEN, Files, kubeconfig

from actions import get_kubeconfig

ROLE = "arn:aws:iam::111122223333:role/k8s-view-role"
GOV, GOV_EAST = ROLE.replace("aws", "aws-us-gov"), {"region": "us-gov-east-1"}
AWS = "eks get-token --cluster-name ID --output json"
UNUSABLE = "the control plane has not written a usable kubeconfig yet, see juju status"


def made(model: Model, **params: Any) -> dict[str, Any]:
    return yaml.safe_load(model.action("get-kubeconfig", **params)["kubeconfig"])


def args(config: dict[str, Any]) -> str:
    return " ".join(config["users"][0]["user"]["exec"]["args"])


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ({}, "token -i ID --region us-east-1"),
        ({"client": "aws", "arn": ROLE}, f"{AWS} --region us-east-1 --role-arn {ROLE}"),
        ({"arn": ROLE, "region": "eu-west-1"}, f"token -i ID --region eu-west-1 -r {ROLE}"),
        (GOV_EAST, "token -i ID --region us-gov-east-1"),
        ({**GOV_EAST, "arn": GOV}, f"token -i ID --region us-gov-east-1 -r {GOV}"),
        ({"arn": GOV}, f"token -i ID --region us-gov-west-1 -r {GOV}"),
    ],
)
def test_given_a_principal_when_asked_for_then_the_command_logs_in_as_it(
    deployed: Model, params: dict[str, str], expected: str
):
    config = made(deployed, **params)
    command = config["users"][0]["user"]["exec"]

    assert args(config) == expected.replace("ID", deployed.peer["cluster-id"])
    assert command["command"] == params.get("client", "aws-iam-authenticator")
    assert command["apiVersion"] == "client.authentication.k8s.io/v1beta1"
    assert command["interactiveMode"] == "IfAvailable"
    assert "Install it" in command["installHint"]


def test_given_another_partition_then_its_principals_and_regions_are_taken(deployed: Model):
    deployed.config = {"partition": "aws-cn"}
    role = ROLE.replace("aws", "aws-cn")

    assert args(made(deployed, arn=role, region="cn-north-1")).endswith(
        f"--region cn-north-1 -r {role}"
    )


def test_given_values_of_an_operator_then_the_kubeconfig_has_each_of_them(deployed: Model):
    server = "https://k8s.example.com:443"
    config = made(deployed, profile="work", context="prod/eu", server=server)

    command = config["users"][0]["user"]["exec"]
    assert command["env"] == [{"name": "AWS_PROFILE", "value": "work"}]
    assert config["current-context"] == "prod/eu"
    assert config["clusters"][0]["cluster"]["server"] == server


def test_given_neither_context_nor_server_then_they_are_the_control_planes(
    deployed: Model, files: Files
):
    config = made(deployed)

    assert config["current-context"] == "aws-iam-authenticator"
    assert [context["name"] for context in config["contexts"]] == ["aws-iam-authenticator"]
    # Of the admin's kubeconfig, where the machine has none for people.
    assert config["clusters"][0]["cluster"]["server"] == "https://10.85.0.10:6443"

    files.client.write_text(kubeconfig("https://lb.example.com:443", root("lb").certificate))
    assert made(deployed)["clusters"][0]["cluster"]["server"] == "https://lb.example.com:443"


def test_given_an_admins_credential_on_the_machine_when_asked_for_then_it_never_comes_out(
    deployed: Model, files: Files
):
    files.client.write_text(kubeconfig())

    text = deployed.action("get-kubeconfig", arn=ROLE, profile="p")["kubeconfig"]

    assert ADMIN_TOKEN in files.client.read_text()
    assert ADMIN_TOKEN not in text + deployed.log()
    (user,) = yaml.safe_load(text)["users"]
    assert set(user["user"]) == {"exec"}


NOT_IN = "region {} is not in partition {}: give region={} or another of its regions"
CHINA = "arn:aws-cn:iam::111122223333:role/mei"
ALICE = "arn:aws:iam::111122223333:user/alice"
NOT_CHINA = (
    f"{CHINA} cannot log in: the option partition is aws, so give an arn of partition aws or "
    "aws-us-gov"
)
NO_PARTITION = (
    "option partition: 'china' is not one of aws, aws-cn, aws-us-gov, aws-iso, aws-iso-b, "
    "aws-iso-e, aws-iso-f, aws-eusc"
)
NO_CLIENT = "client 'gcloud' is unknown: give client=aws-iam-authenticator or client=aws"
NO_ARN = "'admin' is not an ARN such as arn:aws:iam::111122223333:role/admin"
NO_ROLE = f"{ALICE} is not a role: without arn, people log in with their own keys"
NO_URL = (
    "server must be a URL without user, password or query, such as https://k8s.example.com:443"
)
NO_CONTEXT = "context is empty: leave it out, or give context=aws-iam-authenticator"
TOO_LONG = "the kubeconfig is too long for an action's result: give shorter values"
GOV_REGION = {"arn": ROLE, "region": "us-gov-west-1"}
# The option `partition`, the parameters, and what the action says.
REFUSED: list[tuple[str, dict[str, str], str]] = [
    ("aws", {"arn": CHINA}, NOT_CHINA),
    ("aws-cn", {"region": "eu-west-1"}, NOT_IN.format("eu-west-1", "aws-cn", "cn-north-1")),
    ("aws", GOV_REGION, NOT_IN.format("us-gov-west-1", "aws", "eu-west-1")),
    ("china", {"region": "cn-north-1"}, NO_PARTITION),
    ("aws-cn", {"region": "Beijing"}, "'Beijing' is not an AWS region such as cn-north-1"),
    ("aws", {"client": "gcloud"}, NO_CLIENT),
    ("aws", {"arn": "admin"}, NO_ARN),
    ("aws", {"arn": ALICE}, NO_ROLE),
    ("aws", {"server": "https://admin:secret@k8s"}, NO_URL),
    ("aws", {"context": "a\nb"}, r"context 'a\nb' may hold printable characters only"),
    ("aws", {"profile": " x"}, "profile ' x' may hold printable characters only"),
    ("aws", {"context": ""}, NO_CONTEXT),
    ("aws", {"context": "\u4e2d" * 8_000}, TOO_LONG),
]


@pytest.mark.parametrize(("option", "params", "line"), REFUSED)
def test_given_a_value_that_cannot_be_then_the_action_says_what_to_give(
    deployed: Model, option: str, params: dict[str, str], line: str
):
    deployed.config = {"partition": option}

    assert refused(made, deployed, **params) == line


def test_given_no_cluster_id_yet_when_asked_for_then_the_action_says_where_to_look(model: Model):
    assert refused(made, model) == "no cluster id yet, see juju status"


@pytest.mark.parametrize(
    "server",
    ["https://admin:hunter2@k8s", "https:/admin:hunter2@k8s", "https://k8s/?key=hunter2", "5"],
)
def test_given_no_usable_kubeconfig_when_asked_for_then_the_action_says_so_and_repeats_nothing(
    deployed: Model, files: Files, server: str
):
    files.client.write_text(kubeconfig(server))

    assert refused(made, deployed) == UNUSABLE
    assert "hunter2" not in deployed.log()


def test_given_a_long_context_then_it_is_taken_as_long_as_juju_takes_it(deployed: Model):
    text = deployed.action("get-kubeconfig", context="x" * 15_000)["kubeconfig"]

    assert len(text) < 100_000


def test_given_an_action_when_it_has_run_then_the_units_status_is_as_it_was(
    deployed: Model, api: FakeCluster
):
    before = deployed.units[0].status
    made(deployed)

    assert deployed.units[0].status == before
    assert api.seen == []


# Its parts.

CA = root().certificate
LOGIN = get_kubeconfig.TokenCommand("prod", "us-east-1")
SERVER = "https://k8s.example.com:443"


def test_given_a_server_that_everyone_trusts_when_a_kubeconfig_is_made_then_it_has_no_authority():
    made = yaml.safe_load(get_kubeconfig.render(LOGIN, context="c", server=SERVER, ca=""))

    assert made["clusters"] == [{"name": "c", "cluster": {"server": SERVER}}]


@given(
    context=st.text(min_size=1),
    profile=st.text(),
    cluster_id=st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", fullmatch=True).filter(
        str.isascii
    ),
)
def test_given_any_names_when_a_kubeconfig_is_made_then_they_come_back_or_are_refused(
    context: str, profile: str, cluster_id: str
):
    login = get_kubeconfig.TokenCommand(cluster_id, "us-east-1", profile=profile)
    try:
        text = get_kubeconfig.render(login, context=context, server=SERVER, ca=CA)
    except ValueError as error:
        refusal = str(error)
        made = None
    else:
        refusal = ""
        made = yaml.safe_load(text)

    if made is None:
        assert refusal.isprintable()
        names = (context, profile)
        assert not all(name.isprintable() and name == name.strip() for name in names)
        return
    assert made["current-context"] == made["contexts"][0]["name"] == context
    command = made["users"][0]["user"]["exec"]
    assert command["args"] == ["token", "-i", cluster_id, "--region", "us-east-1"]
    assert command.get("env", [{"value": ""}])[0]["value"] == profile


def read(**cluster: str) -> tuple[str, str]:
    """What comes out of an administrator's kubeconfig of this cluster."""
    kubeconfig = {
        "clusters": [{"name": "other", "cluster": {}}, {"name": "c", "cluster": cluster}],
        "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u"}}],
        "current-context": "x",
        "users": [{"name": "u", "user": {"token": "secret"}}],
    }
    return get_kubeconfig.public_endpoint(json.dumps(kubeconfig))


def authority(text: str) -> dict[str, str]:
    """The field of a cluster that has its authority."""
    return {"certificate-authority-data": base64.b64encode(text.encode()).decode()}


@pytest.mark.parametrize(
    ("field", "ca"),
    [({}, ""), (authority(CA), CA), (authority(f"the-key-of-the-admin\n{CA}and-more"), CA)],
    ids=["no authority", "an authority", "a key beside it"],
)
def test_given_an_admins_kubeconfig_when_read_then_server_and_authority_are_all_that_comes_out(
    field: dict[str, str], ca: str
):
    assert read(server="https://a:6443", **field) == ("https://a:6443", ca)


@given(st.one_of(st.text(), st.sampled_from(["", "a: b", "clusters: 5", "[" * 100_000])))
def test_given_any_text_for_a_kubeconfig_when_read_then_one_line_says_so(text: str):
    with pytest.raises(
        ValueError, match="has not written a usable kubeconfig yet, see juju status"
    ):
        get_kubeconfig.public_endpoint(text)


@pytest.mark.parametrize(
    "cluster",
    [
        pytest.param({"server": "S3VwMnJZ0aGlzLWlz"}, id="a key for the server"),
        pytest.param(
            authority(CA[:200] + "not-a-certificate-but-a-key"), id="a key in the authority"
        ),
        pytest.param(authority("-----BEGIN PRIVATE KEY-----"), id="a key for the authority"),
    ],
)
def test_given_a_damaged_kubeconfig_when_read_then_no_text_of_it_is_said(cluster: dict[str, str]):
    with pytest.raises(
        ValueError, match=r"^the control plane has not written a usable kubeconfig"
    ):
        read(**{"server": "https://a", **cluster})

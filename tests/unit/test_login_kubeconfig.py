"""The kubeconfig that people get, and what it takes from an administrator's."""

from __future__ import annotations

import base64
import json

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from tests.fakes.certificates.authority import root

import login_kubeconfig

CA = root().certificate
LOGIN = login_kubeconfig.TokenCommand("prod", "us-east-1")
SERVER = "https://k8s.example.com:443"


@pytest.mark.parametrize(
    ("client", "expected"),
    [
        ("aws-iam-authenticator", "token -i prod --region eu-west-1 -r arn:aws:iam::1:role/x"),
        (
            "aws",
            (
                "eks get-token --cluster-name prod --output json --region eu-west-1 "
                "--role-arn arn:aws:iam::1:role/x"
            ),
        ),
    ],
)
def test_given_a_client_then_kubectl_gets_its_token_by_exec(client: str, expected: str):
    login = login_kubeconfig.TokenCommand(
        *("prod", "eu-west-1"),
        role="arn:aws:iam::1:role/x",
        client=login_kubeconfig.Program(client),
    )
    made = yaml.safe_load(login_kubeconfig.render(login, context="c", server=SERVER, ca=CA))
    (user,) = made["users"]
    command = user["user"]["exec"]

    assert command["apiVersion"] == "client.authentication.k8s.io/v1beta1"
    assert command["interactiveMode"] == "IfAvailable"
    assert (command["command"], " ".join(command["args"])) == (client, expected)
    assert "Install it" in command["installHint"]
    assert set(user["user"]) == {"exec"}


def test_given_a_server_that_everyone_trusts_when_a_kubeconfig_is_made_then_it_has_no_authority():
    made = yaml.safe_load(login_kubeconfig.render(LOGIN, context="c", server=SERVER, ca=""))

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
    login = login_kubeconfig.TokenCommand(cluster_id, "us-east-1", profile=profile)
    try:
        text = login_kubeconfig.render(login, context=context, server=SERVER, ca=CA)
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
    return login_kubeconfig.public_endpoint(json.dumps(kubeconfig))


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


@given(st.one_of(st.text(), st.sampled_from(["", "a: b", "clusters: 5", "[]", "clusters: [{}]"])))
def test_given_any_text_for_a_kubeconfig_when_read_then_one_line_says_so(text: str):
    with pytest.raises(
        ValueError, match="has not written a usable kubeconfig yet, see juju status"
    ):
        login_kubeconfig.public_endpoint(text)


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

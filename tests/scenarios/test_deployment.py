"""From nothing to logins, on Charmed Kubernetes <= 1.28 with easyrsa; then peace; and then what an
operator changes."""

from __future__ import annotations

import json
from typing import Any

import ops
import pytest
import yaml
from tests.fakes.certificates.authority import root
from tests.fakes.juju.model import OWNER, Easyrsa, Model
from tests.fakes.kubernetes.paths import ADDRESS, APPLIED, CONFIG, DEPLOYMENT
from tests.fakes.kubernetes.server import FakeCluster
from tests.fakes.machine import ADMIN_TOKEN, Files, kubeconfig

from certificates import SERVER_NAME
from machine import webhook

OTHER_IMAGE = "registry.example.com/aws-iam-authenticator:v0.7.13-eks-1-35-9"


def template(api: FakeCluster) -> dict[str, Any]:
    return api.objects[DEPLOYMENT]["spec"]["template"]


def test_given_a_new_application_then_authority_control_plane_and_peers_have_what_they_need(
    deployed: Model, easyrsa: Easyrsa, api: FakeCluster, files: Files
):
    bag = deployed.units[0].certificates
    assert bag["unit_name"] == "aws-iam_0"
    assert json.loads(bag["cert_requests"]) == {SERVER_NAME: {"sans": [SERVER_NAME]}}
    assert files.webhook.read_text() == webhook.render(OWNER, ADDRESS, root().certificate)
    assert files.webhook.stat().st_mode & 0o777 == 0o600
    # The peers know public data only.
    peer = deployed.peer
    public = {"address": ADDRESS, "ca": root().certificate, "serving": "true"}
    assert peer == {**public, "cluster-id": peer["cluster-id"], "relation": peer["relation"]}
    published = deployed.published()
    assert (published["webhook_status"], published["cluster_id"]) == (True, peer["cluster-id"])
    assert {path for path in api.objects if "/nodes/" not in path} == {*APPLIED}
    assert all(api.objects[path]["metadata"]["labels"]["aws-iam"] == "true" for path in APPLIED)

    other = Model(easyrsa, [files])
    other.settle()
    assert len(peer["cluster-id"]) == len(other.peer["cluster-id"]) == 16
    assert peer["cluster-id"] != other.peer["cluster-id"]


def test_given_pods_that_start_within_the_hook_when_deployed_then_no_other_hook_is_needed(
    model: Model, api: FakeCluster
):
    api.start_seconds = 15
    model.answer()
    model.hook()
    model.answer()

    assert isinstance(model.hook(model.changed("certificates")), ops.ActiveStatus)
    api.forget()
    model.hook()
    assert api.changes == []


@pytest.mark.parametrize("event", ["update_status", "config_changed", "upgrade_charm", "start"])
def test_given_a_settled_unit_when_any_hook_runs_then_nothing_at_all_is_written(
    deployed: Model, api: FakeCluster, files: Files, event: str
):
    bags, stored, secrets = deployed.bags(), deployed.units[0].stored, deployed.secrets
    file = files.webhook.stat()

    deployed.hook(getattr(deployed.on, event)())

    assert api.changes == []
    assert len(api.seen) <= 19
    assert (deployed.bags(), deployed.units[0].stored) == (bags, stored)
    assert (deployed.secrets, files.webhook.stat()) == (secrets, file)


# What an operator changes.


def test_given_a_new_cluster_id_when_a_hook_runs_then_it_is_applied_said_in_the_log_and_kept(
    deployed: Model, api: FakeCluster, files: Files
):
    former, file = deployed.peer["cluster-id"], files.webhook.read_text()
    before = template(api)["metadata"]["annotations"]
    deployed.config = {"cluster-id": "prod"}

    assert isinstance(deployed.hook(deployed.on.config_changed()), ops.ActiveStatus)
    assert yaml.safe_load(api.objects[CONFIG]["data"]["config.yaml"])["clusterID"] == "prod"
    after = template(api)["metadata"]["annotations"]
    assert after["aws-iam/config-hash"] != before["aws-iam/config-hash"]
    assert files.webhook.read_text() == file
    said = f"cluster id changed from {former} to prod: people need the new one in their kubeconfig"
    assert said in deployed.log()

    deployed.config = {}
    api.forget()
    deployed.hook()
    assert deployed.published()["cluster_id"] == "prod"
    assert api.changes == []


def test_given_a_new_image_when_a_hook_runs_then_the_pods_alone_change_and_logins_go_on(
    deployed: Model, api: FakeCluster, files: Files
):
    bags, file = deployed.bags(), files.webhook.stat()
    deployed.config = {"image": OTHER_IMAGE}

    status = deployed.hook(deployed.on.config_changed())

    assert status == ops.ActiveStatus("2/2 pods, 0 mappings")
    assert deployed.version == "v0.7.13"
    assert api.changes == [f"PATCH {DEPLOYMENT}"]
    assert template(api)["spec"]["containers"][0]["image"] == OTHER_IMAGE
    assert (deployed.bags(), files.webhook.stat()) == (bags, file)

    api.start_seconds = None
    deployed.config = {"image": f"{OTHER_IMAGE}-never-starts"}
    assert deployed.hook(deployed.on.config_changed()) == ops.WaitingStatus(
        "waiting for the authenticator's pods, 0/2 updated pods ready"
    )
    assert deployed.published()["webhook_status"] is True


# The kubeconfig that each unit keeps on its machine, for people to copy.


def test_given_units_that_serve_then_each_machine_has_a_kubeconfig_without_credentials(
    two: Model, machines: list[Files]
):
    two.settle()

    for files in machines:
        path = files.machine.login_kubeconfig
        made = yaml.safe_load(path.read_text())
        (user,), (context,) = made["users"], made["contexts"]
        assert (user["name"], context["name"]) == ("aws-iam-user", "aws-iam-authenticator")
        assert context["context"] == {"cluster": "aws-iam-authenticator", "user": "aws-iam-user"}
        assert made["clusters"][0]["cluster"]["server"] == "https://10.85.0.10:6443"
        cluster_id = two.published()["cluster_id"]
        assert user["user"]["exec"]["args"] == ["token", "-i", cluster_id, "--region", "us-east-1"]
        assert ADMIN_TOKEN not in path.read_text()
        assert path.stat().st_mode & 0o777 == 0o600
        assert path.stat().st_uid == path.parent.stat().st_uid


IN_FRANKFURT = "aws:///eu-central-1a/i-0123456789abcdef0"
IN_LOS_ANGELES = "aws:///us-west-2-lax-1a/i-0123456789abcdef1"
IN_BEIJING = "aws:///cn-north-1b/i-0123456789abcdef2"
NO_REGIONS = (
    "aws:////i-0123456789abcdef0",
    "openstack:///0c5b8f4a",
    "aws:///eu-central-1a/i-0\n        - --role",
    "aws:///evil.example.com/i-0",
    "x" * 100_000,
)


@pytest.mark.parametrize(
    ("provider_ids", "partition", "region"),
    [
        ([IN_FRANKFURT], "aws", "eu-central-1"),
        (["", IN_FRANKFURT, IN_LOS_ANGELES, IN_FRANKFURT], "aws", "eu-central-1"),
        ([IN_LOS_ANGELES], "aws", "us-west-2"),
        ([IN_BEIJING], "aws-cn", "cn-north-1"),
        # Its STS would refuse everybody of this partition.
        ([IN_BEIJING], "aws", "us-east-1"),
        (NO_REGIONS, "aws", "us-east-1"),
    ],
)
def test_given_machines_of_aws_then_people_log_in_by_their_region(
    two: Model,
    api: FakeCluster,
    machines: list[Files],
    provider_ids: list[str],
    partition: str,
    region: str,
):
    two.config = {"partition": partition}
    two.settle()
    api.add_nodes(*provider_ids)

    two.settle()

    texts = [files.machine.login_kubeconfig.read_text() for files in machines]
    texts.append(two.action("get-kubeconfig")["kubeconfig"])
    for text in texts:
        (user,) = yaml.safe_load(text)["users"]
        assert user["user"]["exec"]["args"][-2:] == ["--region", region]


def test_given_a_lost_file_or_another_address_of_the_cluster_then_the_next_hook_writes_it(
    deployed: Model, files: Files
):
    path = files.machine.login_kubeconfig
    deployed.hook()
    before = path.read_text()
    for _ in range(2):
        path.unlink()
        deployed.hook()
        assert path.read_text() == before

    files.client.write_text(kubeconfig("https://lb.example.com:443"))
    deployed.hook()
    assert "https://lb.example.com:443" in path.read_text()

    # What is unusable leads nobody elsewhere.
    files.client.write_text("half a fi")
    deployed.hook()
    assert "https://lb.example.com:443" in path.read_text()

    deployed.hook(deployed.on.remove())
    assert not path.exists()


def test_given_a_link_in_the_folder_of_a_user_then_root_writes_no_file_elsewhere(
    deployed: Model, files: Files
):
    path = files.machine.login_kubeconfig
    victim = files.machine.root / "root/victim"
    victim.write_text("as it was")
    path.unlink(missing_ok=True)
    path.with_name(f".{path.name}.new").symlink_to(victim)

    deployed.hook()

    assert victim.read_text() == "as it was"
    assert "aws-iam-user" in path.read_text()


def test_given_no_home_of_ubuntu_then_none_is_made(deployed: Model, files: Files):
    folder = files.machine.login_kubeconfig.parent
    for each in folder.iterdir():
        each.unlink()
    folder.rmdir()

    assert deployed.hook().name == "active"
    assert not folder.exists()

"""The kubeconfig that each unit keeps on its machine, for people to copy."""

from __future__ import annotations

import pytest
import yaml
from tests.fakes.juju.model import Model
from tests.fakes.kubernetes.server import FakeCluster
from tests.fakes.machine import ADMIN_TOKEN, Files, kubeconfig


def test_given_units_that_serve_then_each_machine_has_a_kubeconfig_without_credentials(
    two: Model, machines: list[Files]
):
    two.settle()

    for files in machines:
        path = files.machine.login_kubeconfig
        text = path.read_text()
        made = yaml.safe_load(text)
        (user,) = made["users"]
        (context,) = made["contexts"]
        assert (user["name"], context["name"]) == ("aws-iam-user", "aws-iam-authenticator")
        assert context["context"] == {"cluster": "aws-iam-authenticator", "user": "aws-iam-user"}
        assert made["clusters"][0]["cluster"]["server"] == "https://10.85.0.10:6443"
        cluster_id = two.published()["cluster_id"]
        assert user["user"]["exec"]["args"] == ["token", "-i", cluster_id, "--region", "us-east-1"]
        assert ADMIN_TOKEN not in text
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


@pytest.mark.usefixtures("api")
def test_given_a_unit_that_goes_then_its_file_goes(deployed: Model, files: Files):
    deployed.hook()
    assert files.machine.login_kubeconfig.exists()

    deployed.hook(deployed.on.remove())

    assert not files.machine.login_kubeconfig.exists()


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

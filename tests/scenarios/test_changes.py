"""What an operator changes, and what of it reaches the cluster, the machine and the people."""

from __future__ import annotations

from typing import Any

import ops
import yaml
from tests.fakes.certificates.authority import root
from tests.fakes.juju.model import Easyrsa, Model
from tests.fakes.kubernetes.paths import CONFIG, DEPLOYMENT
from tests.fakes.kubernetes.server import FakeCluster
from tests.fakes.machine import Files

OTHER_IMAGE = "registry.example.com/aws-iam-authenticator:v0.7.13-eks-1-35-9"


def template(api: FakeCluster) -> dict[str, Any]:
    return api.objects[DEPLOYMENT]["spec"]["template"]


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
    assert deployed.published()["cluster_id"] == "prod"
    assert files.webhook.read_text() == file
    assert (
        f"cluster id changed from {former} to prod: people need the new one in their kubeconfig"
        in deployed.log()
    )

    deployed.config = {}
    api.forget()
    deployed.hook()

    assert deployed.published()["cluster_id"] == "prod"
    assert api.changes == []


def test_given_a_new_image_when_a_hook_runs_then_the_pods_alone_change(
    deployed: Model, api: FakeCluster, files: Files
):
    bags, file = deployed.bags(), files.webhook.stat()
    deployed.config = {"image": OTHER_IMAGE}

    status = deployed.hook(deployed.on.config_changed())

    assert status == ops.ActiveStatus("2/2 pods, 0 mappings")
    assert deployed.version == "v0.7.13"
    assert api.changes == [f"PATCH {DEPLOYMENT}"]
    assert template(api)["spec"]["containers"][0]["image"] == OTHER_IMAGE
    assert deployed.bags() == bags
    assert files.webhook.stat() == file


def test_given_a_new_image_that_never_starts_then_logins_go_on(deployed: Model, api: FakeCluster):
    api.start_seconds = None
    deployed.config = {"image": OTHER_IMAGE}

    assert deployed.hook(deployed.on.config_changed()) == ops.WaitingStatus(
        "waiting for the authenticator's pods, 0/2 updated pods ready"
    )
    assert deployed.published()["webhook_status"] is True


def test_given_a_certificate_in_trouble_when_the_image_changes_then_the_pods_change(
    deployed: Model, api: FakeCluster
):
    deployed.provider = None
    deployed.config = {"image": OTHER_IMAGE}

    assert isinstance(deployed.hook(deployed.on.config_changed()), ops.BlockedStatus)
    assert template(api)["spec"]["containers"][0]["image"] == OTHER_IMAGE


def test_given_a_new_leaf_when_a_hook_runs_then_pods_are_replaced_and_the_file_is_not(
    deployed: Model, easyrsa: Easyrsa, api: FakeCluster, files: Files
):
    before, pods, file = api.secret("cert.pem"), template(api), files.webhook.stat()
    published = deployed.published()
    easyrsa.reissue()
    deployed.answer()

    assert isinstance(deployed.hook(deployed.changed("certificates")), ops.ActiveStatus)
    assert api.secret("cert.pem") != before
    assert template(api)["metadata"]["annotations"] != pods["metadata"]["annotations"]
    assert template(api)["spec"]["containers"] == pods["spec"]["containers"]
    assert files.webhook.stat() == file
    assert deployed.published() == published
    assert deployed.peer["ca"] == root().certificate

"""From nothing to logins, on Charmed Kubernetes <= 1.28 with easyrsa; and then peace."""

from __future__ import annotations

import json
import os

import ops
import pytest
from tests.fakes.certificates.authority import root
from tests.fakes.juju.model import OWNER, Easyrsa, Model
from tests.fakes.kubernetes.paths import ADDRESS
from tests.fakes.kubernetes.server import FakeCluster
from tests.fakes.machine import Files

from machine import webhook

NAME = "aws-iam-authenticator.kube-system.svc"
OBJECTS = [
    "clusterrolebindings/aws-iam-authenticator",
    "clusterroles/aws-iam-authenticator",
    "configmaps/aws-iam-authenticator",
    "customresourcedefinitions/iamidentitymappings.iamauthenticator.k8s.aws",
    "deployments/aws-iam-authenticator",
    "poddisruptionbudgets/aws-iam-authenticator",
    "rolebindings/aws-iam-authenticator",
    "roles/aws-iam-authenticator",
    "secrets/aws-iam-certs",
    "serviceaccounts/aws-iam-authenticator",
    "services/aws-iam-authenticator",
    "validatingadmissionpolicies/aws-iam-mappings",
    "validatingadmissionpolicybindings/aws-iam-mappings",
]


def asked(model: Model) -> None:
    """Come to where the authority has answered a request for a certificate."""
    model.answer()
    model.hook()
    model.answer()


def test_given_a_new_application_then_authority_control_plane_and_peers_have_what_they_need(
    deployed: Model, files: Files
):
    bag = deployed.units[0].certificates
    assert bag["unit_name"] == "aws-iam_0"
    assert json.loads(bag["cert_requests"]) == {NAME: {"sans": [NAME]}}
    assert files.webhook.read_text() == webhook.render(OWNER, ADDRESS, root().certificate)
    assert files.webhook.stat().st_mode & 0o777 == 0o600
    # The peers know public data only.
    peer = deployed.peer
    public = {"address": ADDRESS, "ca": root().certificate, "serving": "true"}
    assert peer == {**public, "cluster-id": peer["cluster-id"], "relation": peer["relation"]}
    assert len(peer["cluster-id"]) == 16
    published = deployed.published()
    assert (published["webhook_status"], published["cluster_id"]) == (True, peer["cluster-id"])


def test_given_a_new_application_then_the_cluster_has_its_objects(
    deployed: Model, api: FakeCluster
):
    paths = ("/".join(path.split("/")[-2:]) for path in api.objects)

    assert sorted(path for path in paths if path != "nodes/n0") == OBJECTS
    ours = [each["metadata"] for path, each in api.objects.items() if not path.endswith("n0")]
    assert all(metadata["labels"]["aws-iam"] == "true" for metadata in ours)


def test_given_two_applications_when_they_settle_then_their_cluster_ids_differ(
    deployed: Model, easyrsa: Easyrsa, files: Files
):
    other = Model(easyrsa, [files])
    other.settle()

    assert other.peer["cluster-id"] != deployed.peer["cluster-id"]


def test_given_pods_that_start_within_the_hook_when_deployed_then_no_other_hook_is_needed(
    model: Model, api: FakeCluster
):
    api.start_seconds = 15
    asked(model)

    assert isinstance(model.hook(model.changed("certificates")), ops.ActiveStatus)
    api.forget()
    model.hook()
    assert api.changes == []


@pytest.mark.parametrize("event", ["update_status", "config_changed", "upgrade_charm", "start"])
def test_given_a_settled_unit_when_any_hook_runs_then_nothing_at_all_is_written(
    deployed: Model, api: FakeCluster, files: Files, event: str
):
    bags, stored, secrets = deployed.bags(), deployed.units[0].stored, deployed.secrets
    file = os.stat(files.webhook)

    deployed.hook(getattr(deployed.on, event)())

    assert api.changes == []
    assert len(api.seen) <= 19
    assert deployed.bags() == bags
    assert deployed.units[0].stored == stored
    assert deployed.secrets == secrets
    assert os.stat(files.webhook) == file

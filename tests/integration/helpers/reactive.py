"""A model with the reactive charm in it, the predecessor that `juju refresh` replaces."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jubilant
import yaml
from tests.integration.helpers import arns, juju_status
from tests.integration.helpers.kubernetes import Cluster

CHANNEL = "reactive/stable"
KINDS = (
    "customresourcedefinition/iamidentitymappings.iamauthenticator.k8s.aws",
    "clusterrole/aws-iam-authenticator",
    "clusterrolebinding/aws-iam-authenticator",
    "service/aws-iam-authenticator",
    "serviceaccount/aws-iam-authenticator",
    "configmap/aws-iam-authenticator",
    "secret/aws-iam-certs",
    "deployment/aws-iam-authenticator",
)
_TAINT = "node-role.kubernetes.io/control-plane"
# What every object of its kind has of its own, and what controllers write.
_OWN = ("uid", "resourceVersion", "creationTimestamp", "generation", "managedFields")
_REVISION = "deployment.kubernetes.io/revision"


def deploy(juju: jubilant.Juju, folder: Path) -> Cluster:
    """Deploy Charmed Kubernetes 1.28 with the reactive charm and three mappings.

    Its pods tolerate no control plane of today, so that the node's taint is taken away: they
    run, and let nobody in.
    """
    overlay = folder / "overlay.yaml"
    overlay.write_text(
        yaml.safe_dump(
            {
                "applications": {"aws-iam": {"charm": "aws-iam", "channel": CHANNEL}},
                "relations": [["aws-iam", "kubernetes-control-plane"], ["aws-iam", "easyrsa"]],
            }
        )
    )
    juju.deploy("charmed-kubernetes", channel="1.28/stable", overlays=[overlay])
    juju_status.wait_until(juju, "maintenance")
    assert juju_status.message(juju) == "Waiting for aws iam pod to start"
    cluster = _kubeconfigs(juju, folder)
    cluster.kubectl("taint", "node", "--all", f"{_TAINT}-")
    cluster.map("viewers", arns.ROLE, "knobby", "view")
    cluster.map("mallory", arns.USER, "mallory", "view")
    cluster.map("pathed", arns.ROLE_WITH_PATH, "dev")
    cluster.kubectl("rollout", "status", "-n", "kube-system", "deploy/aws-iam-authenticator")
    juju.model_config({"update-status-hook-interval": "3s"})
    juju_status.wait_until_active(juju)
    juju.model_config(reset="update-status-hook-interval")
    return cluster


def _kubeconfigs(juju: jubilant.Juju, folder: Path) -> Cluster:
    """As people have them from the control plane, the ARN of their role filled in."""
    cluster = Cluster(folder / "admin", folder / "person")
    text = juju.ssh("kubernetes-control-plane/leader", "cat config")
    cluster.admin.write_text(text)
    person = yaml.safe_load(text.replace("<<insert_arn_here>>", arns.ROLE))
    cluster.person.write_text(
        yaml.safe_dump({**person, "current-context": "aws-iam-authenticator"})
    )
    return cluster


def cluster_id(cluster: Cluster) -> str:
    """What people's tokens are made for, by their kubeconfig."""
    users = yaml.safe_load(cluster.person.read_text())["users"]
    user = next(entry["user"] for entry in users if entry["name"] == "aws-iam-user")
    return user["exec"]["args"][2]


def objects(cluster: Cluster) -> dict[str, dict[str, Any]]:
    """Every object that both charms apply, by its name, as it is in the cluster."""
    options = ("-n", "kube-system", "--show-managed-fields")
    return {name: cluster.get(name, *options) for name in KINDS}


def intent(found: dict[str, Any]) -> dict[str, Any]:
    """An object without what is its own, or a controller's: what was asked for."""
    metadata = {key: value for key, value in found["metadata"].items() if key not in _OWN}
    metadata.get("annotations", {}).pop(_REVISION, None)
    if not metadata.get("annotations"):
        metadata.pop("annotations", None)
    return {**{k: v for k, v in found.items() if k != "status"}, "metadata": metadata}


def leader_data(juju: jubilant.Juju) -> dict[str, str]:
    """What the leader keeps for all units in the old way."""
    return json.loads(juju.exec("leader-get --format=json", unit="aws-iam/0").stdout)

"""Deploy the reactive charm, which `juju refresh` replaces, and look at what it left."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jubilant
import yaml
from tests.integration.helpers import arns, bundle, juju_status, testbed_only
from tests.integration.helpers.eventually import eventually
from tests.integration.helpers.kubernetes import Cluster, admins_kubeconfig

_OVERLAY = """
applications:
  aws-iam: {charm: aws-iam, channel: reactive/stable}
relations:
- ["aws-iam:aws-iam", "kubernetes-control-plane:aws-iam"]
- ["aws-iam:certificates", "easyrsa:client"]
"""
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
_PODS_START = "Waiting for aws iam pod to start"
_TAINT = "node-role.kubernetes.io/control-plane"
# These differ from object to object, or a controller writes them.
_NOT_APPLIED = ("uid", "resourceVersion", "creationTimestamp", "generation", "managedFields")
_REVISION = "deployment.kubernetes.io/revision"


def deploy(juju: jubilant.Juju, folder: Path) -> Cluster:
    """Deploy Charmed Kubernetes 1.28 with the reactive charm and three mappings.

    Its pods do not tolerate the control plane's taint of today, so this removes the taint. Then
    they run, and refuse every login.
    """
    testbed_only.require_juju_3(juju, "a reactive charm does not run on Juju 4")
    overlay = folder / "overlay.yaml"
    overlay.write_text(_OVERLAY)
    juju.deploy("charmed-kubernetes", channel="1.28/stable", overlays=[overlay])
    # The original's default image is of v0.4.0, which the testbed's registry does not have.
    if juju.config("aws-iam")["image"] != bundle.OTHER_IMAGE:
        juju.config("aws-iam", {"image": bundle.OTHER_IMAGE})
    juju_status.wait_until(juju, "maintenance")
    # Its last hook may have come before the pods.
    with juju_status.frequent_update_status(juju):
        eventually(lambda: juju_status.message(juju) == _PODS_START, _PODS_START)
    cluster = _kubeconfigs(juju, folder)
    cluster.kubectl("taint", "node", "--all", f"{_TAINT}-")
    cluster.map("viewers", arns.ROLE, "knobby", "view")
    cluster.map("mallory", arns.USER, "mallory", "view")
    cluster.map("pathed", arns.ROLE_WITH_PATH, "dev")
    cluster.kubectl("rollout", "status", "-n", "kube-system", "deploy/aws-iam-authenticator")
    juju.model_config({"update-status-hook-interval": "3s"})
    # The reactive charm's hook fails while an API server restarts. Juju runs it again.
    juju.wait(
        lambda status: jubilant.all_active(status) and jubilant.all_agents_idle(status),
        delay=0.5,
        successes=2,
        timeout=juju_status.WAIT_SECONDS,
    )
    juju.model_config(reset="update-status-hook-interval")
    return cluster


def _kubeconfigs(juju: jubilant.Juju, folder: Path) -> Cluster:
    """Return the kubeconfigs that the control plane hands out, with a role's ARN filled in."""
    cluster = Cluster(folder / "admin", folder / "person")
    text = admins_kubeconfig(juju)
    cluster.admin.write_text(text)
    person = yaml.safe_load(text.replace("<<insert_arn_here>>", arns.ROLE))
    cluster.person.write_text(
        yaml.safe_dump({**person, "current-context": "aws-iam-authenticator"})
    )
    return cluster


def cluster_id(cluster: Cluster) -> str:
    users = yaml.safe_load(cluster.person.read_text())["users"]
    user = next(entry["user"] for entry in users if entry["name"] == "aws-iam-user")
    return user["exec"]["args"][2]


def objects(cluster: Cluster) -> dict[str, dict[str, Any]]:
    """Return every object that both charms apply, by kind and name, as the cluster has it."""
    options = ("-n", "kube-system", "--show-managed-fields")
    return {name: cluster.get(name, *options) for name in KINDS}


def applied_fields(found: dict[str, Any]) -> dict[str, Any]:
    """Return an object without the fields that no charm applies."""
    metadata = {key: value for key, value in found["metadata"].items() if key not in _NOT_APPLIED}
    metadata.get("annotations", {}).pop(_REVISION, None)
    if not metadata.get("annotations"):
        metadata.pop("annotations", None)
    return {**{k: v for k, v in found.items() if k != "status"}, "metadata": metadata}


def leader_data(juju: jubilant.Juju) -> dict[str, str]:
    """Return the leader settings, in which the reactive charm keeps its state."""
    return json.loads(juju.exec("leader-get --format=json", unit="aws-iam/0").stdout)


@dataclass(frozen=True)
class Trust:
    """Which authorities the control plane's machine trusts."""

    links: list[str]
    """The names in /etc/ssl/certs, without those that are hashes."""
    by_hash: set[str]
    """The hashes of subjects, by which OpenSSL looks up authorities in that folder."""
    dangling: list[str]
    bundle: list[str]
    """The certificates of the bundle that most programs read."""


def trust(juju: jubilant.Juju) -> Trust:
    def lines(command: str) -> list[str]:
        return juju.exec(command, unit="kubernetes-control-plane/0").stdout.splitlines()

    names = lines("ls /etc/ssl/certs")
    hashes = {name for name in names if re.fullmatch(r"[0-9a-f]{8}\.[0-9]+", name)}
    return Trust(
        links=[name for name in names if name not in hashes],
        by_hash={name.partition(".")[0] for name in hashes},
        dangling=lines("find /etc/ssl/certs -xtype l"),
        bundle=[
            line for line in lines("cat /etc/ssl/certs/ca-certificates.crt") if "BEGIN" in line
        ],
    )

"""The deployed cluster: kubectl for its administrator, and for a person with AWS keys."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jubilant
import yaml
from demo import keys
from tests.integration.helpers import arns

KUBE_SYSTEM = ("-n", "kube-system")
DEPLOYMENT = (*KUBE_SYSTEM, "deployment/aws-iam-authenticator")
SERVICE = (*KUBE_SYSTEM, "service/aws-iam-authenticator")
PODS = (*KUBE_SYSTEM, "pods", "-l", "k8s-app=aws-iam-authenticator")
MAPPINGS = "iamidentitymappings.iamauthenticator.k8s.aws"
_SECONDS = 240
_NO_RULES = [
    {
        "op": "add",
        "path": "/spec/versions/0/schema/openAPIV3Schema/properties/spec/properties/arn"
        "/x-kubernetes-validations",
        "value": [],
    }
]


@dataclass(frozen=True)
class Cluster:
    """The kubeconfig of an administrator, and that of a person, for the same cluster."""

    admin: Path
    person: Path

    def kubectl(self, *args: str, stdin: str | None = None) -> str:
        """Run kubectl as the administrator and return what it prints."""
        done = run(["kubectl", "--kubeconfig", str(self.admin), *args], stdin=stdin)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def refusal(self, *args: str, stdin: str | None = None) -> str:
        """Run kubectl as the administrator and return why that fails, empty if it does not."""
        done = run(["kubectl", "--kubeconfig", str(self.admin), *args], stdin=stdin)
        return done.stderr if done.returncode else ""

    def get(self, *args: str) -> dict[str, Any]:
        """Return what ``kubectl get`` finds: one object or a list."""
        return json.loads(self.kubectl("get", "-o", "json", *args))

    def mapping_names(self) -> set[str]:
        return {found["metadata"]["name"] for found in self.get(MAPPINGS)["items"]}

    def pods(self) -> list[dict[str, Any]]:
        """Return the pods of the authenticator, also those that are ending."""
        return self.get(*PODS)["items"]

    def objects(self) -> list[dict[str, Any]]:
        """Return what the charm has made in kube-system, and RBAC's objects for the cluster."""
        kinds = "deployment,service,configmap,serviceaccount,secret,poddisruptionbudget"
        found = [self.get(*KUBE_SYSTEM, kinds), self.get("clusterrole,clusterrolebinding")]
        items = [item for each in found for item in each["items"]]
        return [item for item in items if "aws-iam" in item["metadata"]["name"]]

    def nodes(self) -> list[str]:
        return [node["metadata"]["name"] for node in self.get("nodes")["items"]]

    def is_ready(self, node: str) -> bool:
        """Say whether Kubernetes has heard from a node of late."""
        conditions = self.get("node", node)["status"]["conditions"]
        return any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)

    @contextlib.contextmanager
    def without_room(self, *nodes: str) -> Iterator[None]:
        """Let these nodes, or all if none is given, take no new pods for as long as the block."""
        full = nodes or self.nodes()
        self.kubectl("cordon", *full)
        try:
            yield
        finally:
            self.kubectl("uncordon", *full)

    def map(self, name: str, arn: str, username: str, *groups: str) -> None:
        manifest = json.dumps(mapping(name, arn, username, groups))
        self.kubectl("apply", "-f", "-", stdin=manifest)

    def map_any(self, name: str, arn: str, username: str) -> None:
        """Apply an IAMIdentityMapping with an ARN that Kubernetes 1.30 and newer refuse.

        The CRD has no rules for its ARN meanwhile. The leader's next hook brings them back.
        """
        self.kubectl("patch", "crd", MAPPINGS, "--type=json", f"-p={json.dumps(_NO_RULES)}")
        self.map(name, arn, username)

    def address(self) -> str:
        """Return the address of the authenticator's Service."""
        return self.get(*SERVICE)["spec"]["clusterIP"]

    def free_address(self) -> None:
        """Delete the Service with its finalizer, as nobody does by mistake."""
        self.kubectl("patch", *SERVICE, "--patch", "metadata: {finalizers: null}")
        self.kubectl("delete", *SERVICE)

    def take_address(self, address: str) -> None:
        """Create a Service with an address of one's choice, in a namespace of one's own."""
        thief = ("service", "clusterip", "thief", f"--clusterip={address}", "--tcp=443")
        self.kubectl("create", "-n", "default", *thief)

    def whoami(self, user: str) -> subprocess.CompletedProcess[str]:
        """Run ``kubectl auth whoami`` with the AWS keys of ``user``."""
        command = ["kubectl", "--kubeconfig", str(self.person), "auth", "whoami"]
        return run(command, environment=keys.environment(user))


def mapping(
    name: str, arn: str, username: str, groups: Iterable[str] = (), **metadata: Any
) -> dict[str, Any]:
    """Return an IAMIdentityMapping."""
    return {
        "apiVersion": "iamauthenticator.k8s.aws/v1alpha1",
        "kind": "IAMIdentityMapping",
        "metadata": {"name": name, **metadata},
        "spec": {"arn": arn, "username": username, "groups": list(groups)},
    }


def admins_kubeconfig(juju: jubilant.Juju, unit: str = "kubernetes-control-plane/leader") -> str:
    """Return what `juju ssh UNIT cat config` prints. A new model of Juju 4 has no SSH key."""
    return juju.exec("cat", "/home/ubuntu/config", unit=unit).stdout


def connect(juju: jubilant.Juju, folder: Path, role: str = arns.ROLE) -> Cluster:
    """Return the model's cluster, with the kubeconfigs that its two charms hand out."""
    found = Cluster(folder / "admin", folder / "person")
    found.admin.write_text(admins_kubeconfig(juju))
    save_kubeconfig(juju, found.person, arn=role)
    return found


def with_region(juju: jubilant.Juju, cluster: Cluster, region: str, folder: Path) -> Cluster:
    """Return the cluster for a person who gets tokens from the STS of a region."""
    return Cluster(cluster.admin, save_kubeconfig(juju, folder / region, region=region))


def save_kubeconfig(
    juju: jubilant.Juju, path: Path, unit: str = "aws-iam/leader", **params: Any
) -> Path:
    """Save the kubeconfig that a unit has for people, and return where it is."""
    path.write_text(juju.run(unit, "get-kubeconfig", params).results["kubeconfig"])
    return path


def cluster_id(person: Path) -> str:
    """Return the id that login tokens must be made for, by a person's kubeconfig."""
    user = yaml.safe_load(person.read_text())["users"][0]["user"]
    arguments = user["exec"]["args"]
    return arguments[arguments.index("-i") + 1]


def run(
    command: list[str], *, stdin: str | None = None, environment: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a command, with these variables in addition; return what it printed, and its code."""
    return subprocess.run(
        command,
        input=stdin,
        env={**os.environ, **(environment or {})},
        capture_output=True,
        text=True,
        timeout=_SECONDS,
        check=False,
    )


def run_for_json(command: list[str], environment: Mapping[str, str]) -> Any:
    """Run a command that must succeed, and return the JSON that it prints."""
    done = run(command, environment=environment)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)

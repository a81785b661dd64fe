"""People who may write mappings, but are not administrators: what RBAC gives them, and kubectl."""

from __future__ import annotations

import json
import subprocess
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from tests.integration.helpers.kubernetes import MAPPINGS, Cluster, mapping, run

_RESOURCE = "iamidentitymappings"
_ARN = "arn:aws:iam::111122223333:user/{}"


@dataclass(frozen=True)
class Writer:
    """Somebody who may do everything with mappings and their status."""

    cluster: Cluster
    name: str

    def kubectl(self, *args: str, stdin: str | None = None) -> str:
        """Run kubectl as this person; return why the server refuses, or the empty text."""
        return self.cluster.refusal(f"--as={self.name}", *args, stdin=stdin)

    def run(self, *args: str, stdin: str | None = None) -> subprocess.CompletedProcess[str]:
        command = ["kubectl", "--kubeconfig", str(self.cluster.admin), f"--as={self.name}", *args]
        return run(command, stdin=stdin)

    def create(self, name: str, username: str, groups: Iterable[str] = ()) -> str:
        """Create a mapping; return why the server refuses, or the empty text."""
        return self.kubectl("create", "-f", "-", stdin=manifest(name, username, groups))

    def patch(self, name: str, body: Mapping[str, Any], *args: str) -> str:
        """Patch a mapping; return why the server refuses, or the empty text."""
        return self.kubectl(
            "patch", MAPPINGS, name, "--type=merge", f"-p={json.dumps(body)}", *args
        )


def manifest(name: str, username: str, groups: Iterable[str] = (), **metadata: Any) -> str:
    """Return a mapping of an IAM user of the same name."""
    return json.dumps(mapping(name, _ARN.format(name), username, groups, **metadata))


def writer(cluster: Cluster, name: str, *rights: Mapping[str, Any]) -> Writer:
    """Let a person write mappings, with these further rules of RBAC."""
    mappings = {
        "apiGroups": ["iamauthenticator.k8s.aws"],
        "resources": [_RESOURCE, f"{_RESOURCE}/status"],
        "verbs": ["*"],
    }
    api, kind = "rbac.authorization.k8s.io", "ClusterRole"
    version, metadata = f"{api}/v1", {"name": name}
    role = {"kind": kind, "rules": [mappings, *rights]}
    binding = {
        "kind": "ClusterRoleBinding",
        "roleRef": {"apiGroup": api, "kind": kind, "name": name},
        "subjects": [{"apiGroup": api, "kind": "User", "name": name}],
    }
    for each in (role, binding):
        text = json.dumps({"apiVersion": version, "metadata": metadata, **each})
        cluster.kubectl("apply", "-f", "-", stdin=text)
    return Writer(cluster, name)


def may_impersonate(resource: str, *names: str) -> dict[str, Any]:
    """Return RBAC's rule for the right to impersonate these; all of them without names."""
    rule = {"apiGroups": [""], "resources": [resource], "verbs": ["impersonate"]}
    return {**rule, "resourceNames": list(names)} if names else rule


class Attempts:
    """Mappings that a writer tries to create, one after the other, for as long as the block runs.

    Attributes:
        admitted: The names of those that the server has taken.
        refused: How many it has refused.
    """

    def __init__(self, writer: Writer, username: str, groups: Iterable[str]) -> None:
        self._writer, self._username, self._groups = writer, username, tuple(groups)
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self.admitted: list[str] = []
        self.refused = 0

    def _run(self) -> None:
        number = 0
        while not self._over.is_set():
            number += 1
            name = f"attempt-{number}"
            if self._writer.create(name, self._username, self._groups):
                self.refused += 1
            else:
                self.admitted.append(name)

    def __enter__(self) -> Attempts:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

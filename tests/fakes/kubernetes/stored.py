"""What a Kubernetes API server stores, and how others put it there."""

from __future__ import annotations

import datetime
import re
from collections.abc import Sequence
from typing import Any

from tests.fakes.kubernetes.clock import Clock
from tests.fakes.kubernetes.paths import MAPPINGS, NODES, PODS
from tests.fakes.kubernetes.rbac import RBAC

Object = dict[str, Any]


class Stored:
    """The objects by their paths, and what a test says of them."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.objects: dict[str, Object] = {}
        # What was applied of each.
        self._fields: dict[str, Object] = {}
        # What each pod logged, by its name.
        self._logs: dict[str, list[bytes]] = {}
        # Which namespaces there are.
        self.namespaces = {"default", "kube-system"}
        self._uids = 0

    def put(self, path: str, stored: Object) -> None:
        """Store an object as somebody else's client would have."""
        name = path.rpartition("/")[2]
        stored = {"metadata": {"name": name, "generation": 1, "resourceVersion": "1"}, **stored}
        if path.startswith(MAPPINGS):
            stored["metadata"].setdefault("uid", self._new_uid())
        self.objects[path] = stored

    def add_mapping(
        self,
        name: str,
        arn: str,
        canonical: str | None = None,
        *,
        source: str = "",
        expires: str = "",
        groups: Sequence[str] = (),
    ) -> None:
        status = {} if canonical is None else {"status": {"canonicalARN": canonical}}
        path = f"{MAPPINGS}/{name}"
        spec = {"arn": arn, "username": name, **({"groups": [*groups]} if groups else {})}
        self.put(path, {"spec": spec, **status})
        if source:
            self.objects[path]["metadata"]["labels"] = {"aws-iam/source": source}
        if expires:
            self.objects[path]["metadata"]["annotations"] = {"aws-iam/expires": expires}

    def add_role(self, name: str, *verbs: str, resources: tuple[str, ...] = ("pods",)) -> None:
        """Store a ClusterRole or, where the name has a namespace (``default/dev``), a Role."""
        rule = {"apiGroups": [""], "resources": list(resources), "verbs": list(verbs)}
        self.add_rules(name, rule)

    def add_rules(self, name: str, *rules: Object) -> None:
        """Store a ClusterRole or a Role, named as for `add_role`, with these rules."""
        path, metadata = _place("roles", name)
        self.put(path, {"metadata": metadata, "rules": list(rules)})

    def add_binding(self, name: str, role: str, **subjects: str | tuple[str, ...]) -> None:
        """Store a ClusterRoleBinding or, where the name has a namespace, a RoleBinding, of a role
        (``Role/dev``) to subjects: their names, by their kind."""
        path, metadata = _place("rolebindings", name)
        kind, _, role_name = role.partition("/")
        named = [
            _subject(kind, subject)
            for kind, names in subjects.items()
            for subject in ([names] if isinstance(names, str) else names)
        ]
        binding = {"metadata": metadata, "roleRef": {"kind": kind, "name": role_name}}
        self.put(path, {**binding, "subjects": named} if named else binding)

    def add_pod(self, name: str, **status: Any) -> None:
        """Store a pod of the Deployment."""
        labels = {"name": name, "labels": {"k8s-app": "aws-iam-authenticator"}}
        self.put(f"{PODS}/{name}", {"metadata": labels, "status": status})

    def add_nodes(self, *provider_ids: str) -> None:
        """Store a node for each ``providerID``; an empty one is left out, as on a bare machine."""
        for number, machine in enumerate(provider_ids):
            spec = {"providerID": machine} if machine else {}
            self.put(f"{NODES}/node-{number}", {"spec": spec})

    def add_log(self, pod: str, log: bytes, ago: float = 0.0) -> None:
        """Let a pod have logged these lines, the last of them ``ago`` seconds before now."""
        self.add_lines(pod, *((ago, line) for line in re.findall(rb"[^\n]*\n|[^\n]+", log)))

    def add_lines(self, pod: str, *lines: tuple[float, bytes]) -> None:
        """Let a pod have logged these lines, each so many seconds before now."""
        if f"{PODS}/{pod}" not in self.objects:
            self.add_pod(pod)
        self._logs[f"{PODS}/{pod}/log"] = [
            f"{stamp(self.clock.now - ago, number)} ".encode() + line
            for number, (ago, line) in enumerate(lines)
        ]

    def delete(self, path: str) -> None:
        """Let an object be gone, whatever its finalizers, and what it owns."""
        uid = self.objects.pop(path)["metadata"].get("uid", "")
        self._fields.pop(path, None)
        for dependent in [key for key, each in self.objects.items() if uid in owners_of(each)]:
            self.delete(dependent)

    def unlabel(self) -> None:
        """Take the charm's label off all objects, so that it applies each of them again."""
        for stored in self.objects.values():
            stored["metadata"].get("labels", {}).pop("aws-iam", None)

    def _new_uid(self) -> str:
        self._uids += 1
        return f"00000000-0000-4000-8000-{self._uids:012}"

    def clear(self) -> None:
        """Delete everything."""
        for path in list(self.objects):
            if path in self.objects:
                self.delete(path)


def _place(kinds: str, name: str) -> tuple[str, Object]:
    """The path and the metadata of an object of RBAC, whose name may begin with a namespace."""
    namespace, _, plain = name.rpartition("/")
    metadata = {"name": plain, "resourceVersion": "1"}
    if not namespace:
        return f"{RBAC}/cluster{kinds}/{plain}", metadata
    return f"{RBAC}/namespaces/{namespace}/{kinds}/{plain}", {**metadata, "namespace": namespace}


def renew(metadata: Object) -> None:
    """Let an object have its next version."""
    metadata["resourceVersion"] = str(int(metadata["resourceVersion"]) + 1)


def owners_of(stored: Object) -> set[str]:
    """The UIDs of an object's owners."""
    return {each["uid"] for each in stored["metadata"].get("ownerReferences", ())}


def _subject(kind: str, name: str) -> Object:
    """A subject of a binding. A service account may have its namespace in front (`ns:name`)."""
    if kind != "ServiceAccount":
        return {"apiGroup": "rbac.authorization.k8s.io", "kind": kind, "name": name}
    namespace, _, plain = name.rpartition(":")
    return {"kind": kind, "name": plain, **({"namespace": namespace} if namespace else {})}


def stamp(seconds: float, number: int = 0) -> str:
    """A time as a kubelet writes it in front of a line: in nanoseconds, another for each line."""
    moment = datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc)
    moment += datetime.timedelta(microseconds=number // 1000)
    return f"{moment:%Y-%m-%dT%H:%M:%S.%f}{number % 1000:03}Z"

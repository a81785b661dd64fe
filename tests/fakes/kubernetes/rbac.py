"""RBAC as an API server applies it to what a `FakeCluster` stores."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

Object = dict[str, Any]

RBAC = "/apis/rbac.authorization.k8s.io/v1"
REVIEWS = "/apis/authorization.k8s.io/v1/subjectaccessreviews"

EVERYTHING: Object = {"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}


def review(objects: dict[str, Object], spec: Object) -> Object:
    """The status of a SubjectAccessReview: whether a role allows it, and which, in the API
    server's words."""
    wanted, subjects = spec["resourceAttributes"], [("User", spec.get("user", ""))]
    subjects += [("Group", group) for group in spec.get("groups", ())]
    if spec.get("user", "").startswith("system:serviceaccount:"):
        subjects.append(("ServiceAccount", spec["user"].rpartition(":")[2]))
    if ("Group", "system:masters") in subjects:
        return {"allowed": True}
    for path, binding in objects.items():
        scope = path.removeprefix(RBAC).rpartition("/")[0].split("/")
        if not path.startswith(RBAC) or not scope[-1].endswith("bindings"):
            continue
        namespace = scope[2] if len(scope) == 4 else ""
        if namespace and namespace != wanted.get("namespace"):
            continue
        for kind, name in subjects:
            named = {"kind": kind, "name": name}.items()
            if any(named <= subject.items() for subject in binding.get("subjects") or ()) and any(
                _allows(rule, wanted) for rule in _rules(objects, binding["roleRef"], namespace)
            ):
                return {"allowed": True, "reason": _reason(binding, namespace, kind, name)}
    return {"allowed": False}


def _rules(objects: dict[str, Object], role: Object, namespace: str) -> Iterator[Object]:
    where = f"/namespaces/{namespace}/roles" if role["kind"] == "Role" else "/clusterroles"
    yield from objects.get(f"{RBAC}{where}/{role['name']}", {}).get("rules", ())


def _allows(rule: Object, wanted: Object) -> bool:
    resource = "/".join(filter(None, (wanted["resource"], wanted.get("subresource"))))
    return all(
        {value, "*"} & {*rule[part]}
        for part, value in (
            ("verbs", wanted["verb"]),
            ("resources", resource),
            ("apiGroups", wanted.get("group", "")),
        )
    )


def _reason(binding: Object, namespace: str, kind: str, subject: str) -> str:
    name, role = binding["metadata"]["name"], binding["roleRef"]
    bound = f'RoleBinding "{name}/{namespace}"' if namespace else f'ClusterRoleBinding "{name}"'
    return f'RBAC: allowed by {bound} of {role["kind"]} "{role["name"]}" to {kind} "{subject}"'

"""Discovery as an API server answers it: for all groups at once, or group by group."""

from __future__ import annotations

from typing import Any

# By group: each resource's plural, singular, kind, short names, subresources, and whether its
# objects are in namespaces.
_Row = tuple[str, str, str, list[str], list[str], bool]
GROUPS: dict[str, list[_Row]] = {
    "": [
        ("events", "event", "Event", ["ev"], [], True),
        ("nodes", "node", "Node", ["no"], ["proxy", "status"], False),
        ("pods", "pod", "Pod", ["po"], ["attach", "exec", "log", "status"], True),
        ("secrets", "secret", "Secret", [], [], True),
    ],
    "apps": [("deployments", "deployment", "Deployment", ["deploy"], ["scale", "status"], True)],
    "authentication.k8s.io": [
        ("selfsubjectreviews", "selfsubjectreview", "SelfSubjectReview", [], [], False)
    ],
    "events.k8s.io": [("events", "event", "Event", ["ev"], [], True)],
    "metrics.k8s.io": [("pods", "", "PodMetrics", [], [], True)],
}


def answer(path: str, accept: str) -> dict[str, Any] | None:
    """What is at ``path``, if that is about discovery."""
    if path in ("/api", "/apis") and "as=APIGroupDiscoveryList" in accept:
        groups = [group for group in GROUPS if bool(group) == (path == "/apis")]
        return {"kind": "APIGroupDiscoveryList", "items": [_aggregated(each) for each in groups]}
    if path == "/api":
        return {"kind": "APIVersions", "versions": ["v1"]}
    if path == "/apis":
        preferred = [
            {"name": group, "preferredVersion": {"groupVersion": f"{group}/v1", "version": "v1"}}
            for group in GROUPS
            if group
        ]
        return {"kind": "APIGroupList", "groups": preferred}
    group = "" if path == "/api/v1" else path.removeprefix("/apis/").removesuffix("/v1")
    if path != "/api/v1" and (group not in GROUPS or path != f"/apis/{group}/v1"):
        return None
    return {"kind": "APIResourceList", "resources": _listed(group)}


def _aggregated(group: str) -> dict[str, Any]:
    resources = [
        {
            "resource": plural,
            "responseKind": {"group": group, "version": "v1", "kind": kind},
            "scope": "Namespaced" if namespaced else "Cluster",
            "singularResource": singular,
            "shortNames": short,
            "subresources": [{"subresource": each, "verbs": ["get"]} for each in below],
            "verbs": ["get"],
        }
        for plural, singular, kind, short, below, namespaced in GROUPS[group]
    ]
    metadata = {"name": group} if group else {"creationTimestamp": None}
    return {"metadata": metadata, "versions": [{"version": "v1", "resources": resources}]}


def _listed(group: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for plural, singular, kind, short, below, namespaced in GROUPS[group]:
        same = {"namespaced": namespaced, "kind": kind, "verbs": ["get"]}
        found.append({**same, "name": plural, "singularName": singular, "shortNames": short})
        found += [{**same, "name": f"{plural}/{each}", "singularName": ""} for each in below]
    return found

"""Whose the charm's objects are by their marks, and their fields by the server's list."""

from __future__ import annotations

from typing import Any

from tests.fakes.kubernetes.paths import DEFINITION
from tests.fakes.kubernetes.server import FakeCluster
from tests.fakes.kubernetes.stored import renew

Entry = dict[str, Any]
OWN: Entry = {
    "manager": "aws-iam",
    "operation": "Apply",
    "apiVersion": "v1",
    "time": "2026-11-25T01:30:05Z",
    "fieldsType": "FieldsV1",
    "fieldsV1": {"f:data": {"f:config.yaml": {}}},
}
FORMER: Entry = {
    **OWN,
    "manager": "kubectl-client-side-apply",
    "operation": "Update",
    "fieldsV1": {
        "f:metadata": {"f:labels": {".": {}, "f:k8s-app": {}}},
        "f:data": {".": {}, "f:config.yaml": {}},
    },
}


def marks(api: FakeCluster) -> dict[str, str]:
    """Whose each object is that the charm applies, the definition left out."""
    return {
        path: stored["metadata"].get("annotations", {}).get("aws-iam/owner", "")
        for path, stored in api.objects.items()
        if not path.startswith(DEFINITION)
    }


def mark(api: FakeCluster, path: str, text: str | None) -> None:
    """Mark an object by hand as ``text``'s; None for nobody's."""
    metadata = api.objects[path]["metadata"]
    renew(metadata)
    metadata.setdefault("annotations", {})["aws-iam/owner"] = text
    if text is None:
        del metadata["annotations"]["aws-iam/owner"]

# SPDX-License-Identifier: Apache-2.0

"""How the fields become the charm's that `kubectl apply` has set, as by the reactive charm. Pure.

The objects cannot be made anew in place of that: up to Kubernetes 1.28, their pods let people in
meanwhile.

Source of the format: ``FieldsV1`` of the Kubernetes API, a tree of fields.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Fields = Mapping[str, Any]
Patch = dict[str, Any]

# The field managers of client-side apply: kubectl's, that of kubectl below 1.19, and the API
# server's for fields from before it kept managers. `kubectl edit`, `label` and `patch`, which
# people use, have others.
_APPLIERS = ("kubectl-client-side-apply", "kubectl", "before-first-apply")
# Client-side apply keeps the whole object in this annotation, a Secret's data included.
_LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"


def adoption(metadata: Mapping[str, Any], manager: str) -> Patch | None:
    """Return the merge patch that moves every field of client-side apply to ``manager``.

    Without it, fields that we do not set would stay for ever. client-go calls it ``csaupgrade``.

    Return None where nobody has applied the object client-side. ``manager`` need not have applied
    it yet. The patch is for the version of the object that has this ``metadata``: the API server
    refuses it for another one (409).
    """
    managers: list[dict[str, Any]] = metadata.get("managedFields") or []
    former = [entry for entry in managers if _is_of(entry, "Update", *_APPLIERS)]
    if not former:
        return None
    own = next((entry for entry in managers if _is_of(entry, "Apply", manager)), None)
    own = own or {**former[0], "manager": manager, "operation": "Apply"}
    fields: dict[str, Any] = own.get("fieldsV1") or {}
    for entry in former:
        fields = _union(fields, entry.get("fieldsV1") or {})
    kept = [entry for entry in managers if entry not in former and entry is not own]
    return {
        "metadata": {
            "resourceVersion": metadata["resourceVersion"],
            "annotations": {_LAST_APPLIED: None},
            "managedFields": [{**own, "fieldsV1": fields}, *kept],
        }
    }


def _union(one: Fields, other: Fields) -> dict[str, Any]:
    common = {key: _union(one[key], other[key]) for key in one if key in other}
    return {**one, **other, **common}


def _is_of(entry: Mapping[str, Any], operation: str, *managers: str) -> bool:
    """Return whether one of ``managers`` set the fields of ``entry`` by ``operation``."""
    return (
        entry.get("manager") in managers
        and entry.get("operation") == operation
        # Apply never sets fields of a subresource such as `scale`: they are another program's.
        and not entry.get("subresource")
    )

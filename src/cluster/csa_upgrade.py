# SPDX-License-Identifier: Apache-2.0

"""The move from client-side to server-side apply, as client-go's ``csaupgrade`` does it. Pure.

The API server keeps the manager of every field in ``metadata.managedFields``. The fields that
the reactive charm or a person applied are kubectl's. Server-side apply takes over the fields that
this charm sets, and leaves the others in place for ever. The patch moves these fields to our field
manager, so that the next apply removes the ones we no longer set.

Source of the format: ``FieldsV1`` of the Kubernetes API, a tree in which every field is a key.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cluster.applied import is_of

# The field managers of client-side apply: kubectl's, that of kubectl below 1.19, and the API
# server's for fields from before it kept managers. `kubectl edit`, `label` and `patch`, which
# people use, have others.
_APPLIERS = ("kubectl-client-side-apply", "kubectl", "before-first-apply")
# Client-side apply keeps the whole object in this annotation, a Secret's data included.
_LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"

Fields = dict[str, Any]
Patch = dict[str, Any]


def patch(metadata: Mapping[str, Any], manager: str) -> Patch | None:
    """Return the merge patch that moves every field of client-side apply to ``manager``.

    Return None where nobody has applied the object client-side. ``manager`` need not have applied
    it yet. The patch is for the version of the object that has this ``metadata``: the API server
    refuses it for another one (409).
    """
    managers: list[dict[str, Any]] = metadata.get("managedFields") or []
    former = [entry for entry in managers if is_of(entry, "Update", *_APPLIERS)]
    if not former:
        return None
    own = next((entry for entry in managers if is_of(entry, "Apply", manager)), None)
    own = own or {**former[0], "manager": manager, "operation": "Apply"}
    fields: Fields = own.get("fieldsV1") or {}
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


def _union(one: Fields, other: Fields) -> Fields:
    common = {key: _union(one[key], other[key]) for key in one if key in other}
    return {**one, **other, **common}

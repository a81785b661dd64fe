"""Objects that client-side `kubectl apply` made, and that this charm applies from now on. Pure.

The API server keeps, in ``metadata.managedFields``, who set which field of an object. What the
reactive charm applied belongs to kubectl there: server-side apply takes the fields that the
charm sets, and leaves all others in place for ever. Made the charm's own first, those that it
does not set go with its next apply.

Source of the format: ``FieldsV1`` of the Kubernetes API, a tree in which every field is a key.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

# Client-side apply as kubectl calls itself, as kubectl below 1.19 was called, and as the API
# server calls what was there before it kept managers. People's `kubectl edit`, `label` and
# `patch` have names of their own.
_APPLIERS = ("kubectl-client-side-apply", "kubectl", "before-first-apply")
# What client-side apply remembers by: the whole object, a Secret's data included.
_LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"

Fields = dict[str, Any]
Patch = dict[str, Any]


def patch(metadata: Mapping[str, Any], manager: str) -> Patch | None:
    """The merge patch that makes every field of client-side apply a field of ``manager``.

    ``metadata`` is the object's, as the API server answered to an apply of ``manager``. The
    patch holds for that version of the object only: another one is refused with 409. None
    where nobody has applied the object from a client.
    """
    managers = metadata.get("managedFields") or []
    former = [entry for entry in managers if _is(entry, "Update", *_APPLIERS)]
    own = next((entry for entry in managers if _is(entry, "Apply", manager)), None)
    if not former or not own:
        return None
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


def _is(entry: Mapping[str, Any], operation: str, *managers: str) -> bool:
    return (
        entry.get("manager") in managers
        and entry.get("operation") == operation
        # A subresource, such as `scale`, is another program's field that apply never set.
        and not entry.get("subresource")
    )


def _union(one: Fields, other: Fields) -> Fields:
    common = {key: _union(one[key], other[key]) for key in one if key in other}
    return {**one, **other, **common}

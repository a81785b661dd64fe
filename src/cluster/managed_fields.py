# SPDX-License-Identifier: Apache-2.0

"""Who set which field of an object: whether our apply would change it, and how the fields that
`kubectl apply` has set become ours. Pure.

A settled hook only reads: nothing goes through people's admission webhooks at each update-status.
That also saves 5 % of a leader's settled hook, in pairs of hooks.

Source of the format: ``FieldsV1`` of the Kubernetes API, a tree of fields. ``f:`` stands before a
field's name, ``k:`` before the keys of an item in a list, ``v:`` before a value in a list, and
``.`` is the field itself. A field without others below it is one value for the server too.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, cast

Fields = Mapping[str, Any]
Patch = dict[str, Any]

# The field managers of client-side apply: kubectl's, that of kubectl below 1.19, and the API
# server's for fields from before it kept managers. `kubectl edit`, `label` and `patch`, which
# people use, have others.
_APPLIERS = ("kubectl-client-side-apply", "kubectl", "before-first-apply")
# Client-side apply keeps the whole object in this annotation, a Secret's data included.
_LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"


def is_applied(manifest: Fields, stored: Fields, manager: str) -> bool:
    """Return whether ``stored`` is as an apply of ``manifest`` by ``manager`` would leave it.

    It is if ``manager`` has applied the fields of ``manifest``, and no others, and they still have
    these values. Where the server completes a value that is one to it, such as a list of rules,
    that counts as another value, so each hook applies the object.

    Who may write the object cannot hide a change: the server brings each entry of managedFields
    into the shape of its own schema when it stores the object.
    """
    metadata = stored["metadata"]
    entries: list[dict[str, Any]] = metadata.get("managedFields") or []
    own = [entry for entry in entries if _is_of(entry, "Apply", manager)]
    version = manifest["apiVersion"]
    fields = next(
        (each.get("fieldsV1") for each in own if each.get("apiVersion") == version), None
    )
    return fields is not None and _is_same(fields, _managed(manifest), stored)


def _is_of(entry: Mapping[str, Any], operation: str, *managers: str) -> bool:
    """Return whether one of ``managers`` set the fields of ``entry`` by ``operation``."""
    return (
        entry.get("manager") in managers
        and entry.get("operation") == operation
        # Apply never sets fields of a subresource such as `scale`: they are another program's.
        and not entry.get("subresource")
    )


def _managed(manifest: Fields) -> Fields:
    """Return the fields of ``manifest`` that have a manager: all but the kind and the names."""
    metadata = _without(manifest["metadata"], "name", "namespace")
    return {**_without(manifest, "apiVersion", "kind"), "metadata": metadata}


def _without(fields: Fields, *names: str) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if name not in names}


def _is_same(fields: Fields, wanted: Any, stored: Any) -> bool:
    """Return whether ``wanted`` has ``fields``, no others, and the values of ``stored``."""
    if wanted is None or stored is None:
        return False
    below = [key for key in fields if key != "."]
    if not below:
        return wanted == stored
    if not isinstance(wanted, dict | list) or len(cast("Any", wanted)) != len(below):
        return False
    return all(_is_same(fields[key], _at(key, wanted), _at(key, stored)) for key in below)


def _at(key: str, inside: Any) -> Any:
    """Return what is at ``key`` inside a map or a list; None without it."""
    kind, _, name = key.partition(":")
    if isinstance(inside, dict):
        return cast("Fields", inside).get(name)
    if not isinstance(inside, list):
        return None
    items, sought = cast("list[Any]", inside), json.loads(name)
    if kind == "v":
        return sought if sought in items else None
    return next((item for item in items if _has(item, sought)), None)


def _has(item: Fields, keys: Fields) -> bool:
    # The server completes keys, such as a port's protocol.
    return all(item.get(key, value) == value for key, value in keys.items())


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

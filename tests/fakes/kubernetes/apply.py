"""How an API server changes an object: by an apply and by a merge patch."""

from __future__ import annotations

import copy
import json
from typing import Any

Object = dict[str, Any]


def drop(stored: Object, former: Object, applied: Object) -> None:
    """Take out of ``stored`` what was applied before and no longer is."""
    for key, value in former.items():
        if key not in applied:
            stored.pop(key, None)
        elif isinstance(value, dict) and isinstance(applied[key], dict):
            drop(stored[key], value, applied[key])


def finalizers(stored: Object, former: Object, applied: Object) -> list[str]:
    """The finalizers after an apply: a set, of which each manager has its own."""
    before, now = (each.get("metadata", {}).get("finalizers", []) for each in (former, applied))
    kept = stored.get("metadata", {}).get("finalizers", [])
    return [*(each for each in kept if each not in before or each in now)] + [
        each for each in now if each not in kept
    ]


def managers(metadata: Object, applied: Object) -> list[Object]:
    """The field managers after the charm's apply. To this server, every list but that of the
    finalizers is one value."""
    others = [each for each in metadata.get("managedFields") or () if each["manager"] != "aws-iam"]
    return [*others, _managed(applied)]


def _managed(applied: Object) -> Object:
    metadata = {k: v for k, v in applied["metadata"].items() if k not in ("name", "namespace")}
    named = {k: v for k, v in applied.items() if k not in ("apiVersion", "kind")}
    return {
        "manager": "aws-iam",
        "operation": "Apply",
        "apiVersion": applied["apiVersion"],
        "fieldsV1": _tree({**named, "metadata": metadata}),
    }


def _tree(value: Any) -> Object:
    fields = value if isinstance(value, dict) else {}
    return {
        f"f:{key}": {f"v:{json.dumps(item)}": {} for item in each}
        if key == "finalizers"
        else _tree(each)
        for key, each in fields.items()
    }


def merge(stored: Object, new: Object) -> None:
    for key, value in new.items():
        if isinstance(value, dict):
            if not isinstance(stored.get(key), dict):
                stored[key] = {}
            merge(stored[key], value)
        elif value is None:
            stored.pop(key, None)
        else:
            stored[key] = copy.deepcopy(value)

"""Who has access by what is stored in the cluster: mappings, the charm's bindings, rights."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any

from tests.fakes.kubernetes.paths import MAPPINGS
from tests.fakes.kubernetes.rbac import RBAC
from tests.lives.option import Role

Object = dict[str, Any]
Objects = Mapping[str, Object]

SOURCE, EXPIRES, MARK = "aws-iam/source", "aws-iam/expires", "aws-iam/owner"


def mappings(objects: Objects) -> dict[str, Object]:
    """All mappings by their names."""
    return {
        path.rpartition("/")[2]: each
        for path, each in objects.items()
        if path.startswith(f"{MAPPINGS}/")
    }


def is_binding(path: str) -> bool:
    return path.startswith(RBAC) and path.split("/")[-2].endswith("bindings")


def is_access(path: str) -> bool:
    return path.startswith(MAPPINGS) or is_binding(path)


def source(stored: Object) -> str:
    return (stored["metadata"].get("labels") or {}).get(SOURCE, "")


def mark(stored: Object) -> str:
    return (stored["metadata"].get("annotations") or {}).get(MARK, "")


def groups(mapping: Object) -> list[str]:
    return mapping["spec"].get("groups") or []


def principal(mapping: Object) -> str:
    """Whom a mapping names."""
    return str(mapping["spec"]["arn"]).lower()


def admitted(mapping: Object) -> str:
    """Whom a mapping admits; empty for nobody."""
    return mapping.get("status", {}).get("canonicalARN") or ""


def end(mapping: Object) -> float | None:
    """When a mapping's access ends; None for never."""
    text = (mapping["metadata"].get("annotations") or {}).get(EXPIRES, "")
    try:
        return datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()
    except ValueError:
        return None


def has_ended(mapping: Object, now: float) -> bool:
    moment = end(mapping)
    return moment is not None and moment <= now


def shown(seconds: float) -> str:
    moment = datetime.datetime.fromtimestamp(int(seconds), datetime.timezone.utc)
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"


def role(binding: Object) -> Role:
    reference = binding["roleRef"]
    return reference["kind"], reference["name"], binding["metadata"].get("namespace", "")


def bindings(objects: Objects) -> dict[str, Object]:
    """The bindings that the charm made for mappings."""
    return {
        path: each
        for path, each in objects.items()
        if is_binding(path) and source(each) and path.rpartition("/")[2].startswith("aws-iam-")
    }


def bound(objects: Objects) -> dict[str, set[Role]]:
    """The roles that these bindings give to each group."""
    found: dict[str, set[Role]] = {}
    for binding in bindings(objects).values():
        for subject in binding.get("subjects") or ():
            found.setdefault(subject["name"], set()).add(role(binding))
    return found


def rights(objects: Objects) -> dict[str, set[Role]]:
    """What each principal has: the groups of its mappings, and what is bound to their own."""
    given, found = bound(objects), dict[str, set[Role]]()
    for mapping in mappings(objects).values():
        if who := admitted(mapping):
            has = found.setdefault(who, set())
            for name in groups(mapping):
                if name.startswith("aws-iam:"):
                    has |= given.get(name, set())
                else:
                    has.add(("Group", name, ""))
    return found


def is_change(old: Object | None, new: Object | None) -> bool:
    """Whether more than a status differs."""
    return _without_status(old) != _without_status(new)


def _without_status(stored: Object | None) -> object:
    if stored is None:
        return None
    metadata = {k: v for k, v in stored["metadata"].items() if k != "resourceVersion"}
    return {**{k: v for k, v in stored.items() if k != "status"}, "metadata": metadata}

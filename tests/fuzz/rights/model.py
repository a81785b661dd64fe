"""What must hold of access, by what was declared and granted, whatever others do. Pure.

A principal's rights are the roles that the charm's bindings give to groups ``aws-iam:…`` of the
mappings that let it in. What people bind themselves is theirs.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Collection, Mapping
from typing import Any

from tests.fakes.juju.model import OWNER
from tests.fakes.kubernetes.paths import MAPPINGS
from tests.fakes.kubernetes.rbac import RBAC
from tests.fuzz.runner import Violation

Objects = Mapping[str, dict[str, Any]]
# Its kind, its name, and the namespace in which it counts; empty for the whole cluster.
Role = tuple[str, str, str]
Rights = dict[str, set[Role]]

SOURCE, EXPIRES, MARK = "aws-iam/source", "aws-iam/expires", "aws-iam/owner"
# What the charm calls its bindings: no person's has such a name here.
_OURS = re.compile(r"aws-iam-.*-[0-9a-f]{10}")


@dataclasses.dataclass(frozen=True)
class Entry:
    """A mapping that the option declares.

    Attributes:
        end: When its access ends, in seconds; None for never.
        roles: Each with its place in the option.
    """

    name: str
    arn: str
    username: str
    groups: tuple[str, ...]
    end: int | None
    expires: str
    roles: tuple[tuple[str, Role], ...]

    @property
    def principal(self) -> str:
        return self.arn.lower()

    def applies(self, now: float) -> bool:
        return self.end is None or self.end > now


@dataclasses.dataclass
class Grant:
    """What grants gave a principal: what it has to have, and what it may have.

    A grant that failed may have been given or not, and of one that people damaged, nobody knows
    which role it was.
    """

    least: set[Role] = dataclasses.field(default_factory=set)
    most: set[Role] = dataclasses.field(default_factory=set)


def mappings(objects: Objects) -> dict[str, dict[str, Any]]:
    """All mappings by their names."""
    return {
        path.rpartition("/")[2]: each
        for path, each in sorted(objects.items())
        if path.startswith(f"{MAPPINGS}/")
    }


def label(stored: dict[str, Any]) -> str:
    return (stored["metadata"].get("labels") or {}).get(SOURCE, "")


def annotation(stored: dict[str, Any], key: str) -> str:
    return (stored["metadata"].get("annotations") or {}).get(key, "")


def groups(mapping: dict[str, Any]) -> list[str]:
    return mapping["spec"].get("groups") or []


def own_group(name: str) -> str:
    return f"aws-iam:{name}"


def principal(mapping: dict[str, Any]) -> str:
    return mapping["spec"]["arn"].lower()


def ours(objects: Objects) -> dict[str, dict[str, Any]]:
    """The bindings with the charm's label and this application's mark, by their paths."""
    return {
        path: each
        for path, each in bindings(objects).items()
        if label(each) and annotation(each, MARK) == OWNER.mark
    }


def bindings(objects: Objects) -> dict[str, dict[str, Any]]:
    return {path: each for path, each in objects.items() if is_binding(path)}


def is_binding(path: str) -> bool:
    return path.startswith(RBAC) and path.split("/")[-2].endswith("bindings")


def role(binding: dict[str, Any]) -> Role:
    reference = binding["roleRef"]
    return reference["kind"], reference["name"], binding["metadata"].get("namespace", "")


def group(binding: dict[str, Any]) -> str:
    """The group that alone is bound; empty if there is none, or somebody else too."""
    subjects = binding.get("subjects") or []
    return subjects[0]["name"] if len(subjects) == 1 and subjects[0]["kind"] == "Group" else ""


def rights(objects: Objects) -> Rights:
    """What each principal has now."""
    given: dict[str, set[Role]] = {}
    for binding in ours(objects).values():
        for subject in binding.get("subjects") or ():
            if subject["kind"] == "Group":
                given.setdefault(subject["name"], set()).add(role(binding))
    found: Rights = {}
    for mapping in mappings(objects).values():
        if canonical := mapping.get("status", {}).get("canonicalARN"):
            for name in groups(mapping):
                if name.startswith("aws-iam:"):
                    found.setdefault(canonical, set()).update(given.get(name, ()))
    return {who: roles for who, roles in found.items() if roles}


def check_allowed(objects: Objects, allowed: Rights) -> None:
    """Check that nobody has what he was neither declared nor granted."""
    for who, roles in rights(objects).items():
        if more := roles - allowed.get(who, set()):
            raise Violation("somebody has a right of others", f"{who}: {sorted(more)}")


def is_theirs(mapping: dict[str, Any], names: set[str], now: float, ends: Any) -> bool:
    """Whether a mapping is to stay as it is: neither the option's, nor over, nor in its way."""
    moment = ends(annotation(mapping, EXPIRES))
    is_over = moment is not None and moment <= now
    return not (label(mapping) == "option" or is_over or mapping["metadata"]["name"] in names)


def check_untouched(
    before: Objects, after: Objects, names: set[str], now: float, ends: Any
) -> None:
    """Check that a hook left alone what is people's. ``names`` are those of declared mappings."""
    stay = {name for name, each in mappings(before).items() if is_theirs(each, names, now, ends)}
    kept = mappings(after)
    for name, mapping in mappings(before).items():
        if name in stay and _without_status(mapping) != _without_status(kept.get(name)):
            raise Violation("a mapping of others was touched", f"{mapping} {kept.get(name)}")
    for path, binding in bindings(before).items():
        if path in ours(before) or _OURS.fullmatch(path.rpartition("/")[2]):
            continue
        if after.get(path) != binding and not binding["metadata"].get("ownerReferences"):
            raise Violation("a binding of others was touched", f"{binding} {after.get(path)}")


def _without_status(stored: dict[str, Any] | None) -> object:
    if stored is None:
        return None
    metadata = {k: v for k, v in stored["metadata"].items() if k != "resourceVersion"}
    return metadata, stored["spec"]


def check_entries(
    objects: Objects, entries: list[Entry], wrong: Collection[str], now: float
) -> None:
    """Check that the entries that apply have their mappings, and that there is no other of the
    option's, but for those that entries with a fault may have made: ``wrong`` are their names."""
    principals = {each.principal for each in entries if each.applies(now)}
    found, wanted = mappings(objects), {each.name: each for each in entries if each.applies(now)}
    for name, mapping in found.items():
        is_kept = name in wrong and principal(mapping) not in principals
        if label(mapping) == "option" and name not in wanted and not is_kept:
            raise Violation("a mapping that is not declared", mapping)
    for name, entry in wanted.items():
        if not (mapping := found.get(name)):
            raise Violation("no mapping of an entry", entry)
        seen = (
            principal(mapping),
            mapping["spec"]["username"],
            tuple(groups(mapping)),
            label(mapping),
            annotation(mapping, EXPIRES),
            mapping.get("status", {}).get("canonicalARN"),
        )
        own = (own_group(name),) if entry.roles else ()
        groups_ = (*entry.groups, *own)
        who = entry.principal
        if seen != (who, entry.username, groups_, "option", entry.expires, who):
            raise Violation("a mapping is not as its entry", f"{entry} {mapping}")


def check_statuses(objects: Objects) -> None:
    for mapping in mappings(objects).values():
        if mapping.get("status", {}).get("canonicalARN") != principal(mapping):
            raise Violation("a mapping does not let in whom it names", mapping)


def check_bindings(objects: Objects) -> None:
    """Check that each of the charm's bindings belongs to a mapping."""
    there = mappings(objects)
    for binding in ours(objects).values():
        name = group(binding).removeprefix("aws-iam:")
        if name not in there or own_group(name) not in groups(there[name]):
            raise Violation("a binding without its mapping", binding)


@dataclasses.dataclass(frozen=True)
class Counts:
    """How many mappings each kind of change is about, as `plan-mappings` counts them."""

    delete: int
    replace: int
    change: int
    make: int


def counts(before: Objects, after: Objects, ended: Collection[str]) -> Counts:
    """What has changed from ``before`` to ``after``.

    ``ended`` names mappings that a hook deletes first, because their access is over. If the option
    declares the same principal under that name, a plan calls that a change.
    """
    old, new = mappings(before), mappings(after)
    gone = {name: principal(each) for name, each in old.items() if name not in new}
    delete, replace, change, make = len(gone), 0, 0, 0
    had, have = _bound(before), _bound(after)
    for name, mapping in new.items():
        is_same = name in old and mapping["metadata"]["uid"] == old[name]["metadata"]["uid"]
        is_again = name in ended and principal(mapping) == principal(old[name])
        if name in old and not is_same and not is_again:
            replace += 1
        elif name not in old:
            former = next((n for n, who in gone.items() if who == principal(mapping)), "")
            replace, make = replace + bool(former), make + (not former)
            if former:
                del gone[former]
                delete -= 1
        else:
            changes = _said(mapping) != _said(old[name])
            change += changes or had.get(name) != have.get(name)
    return Counts(delete, replace, change, make)


def _said(mapping: dict[str, Any]) -> object:
    return mapping["spec"], label(mapping), annotation(mapping, EXPIRES)


def _bound(objects: Objects) -> dict[str, set[object]]:
    found: dict[str, set[object]] = {}
    for path, binding in ours(objects).items():
        name = group(binding).removeprefix("aws-iam:")
        found.setdefault(name, set()).add((path, role(binding), label(binding)))
    return found

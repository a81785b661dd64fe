# SPDX-License-Identifier: Apache-2.0

"""A plan for the option `mappings` as a table for people: what each entry would change. Pure."""

from __future__ import annotations

import collections
import dataclasses
from collections.abc import Collection, Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import cast

from access import columns, rbac
from access.declaration.declared import Declared, Entry
from access.declaration.plan import Plan, mapping_of
from access.mapping import IdentityMapping
from access.rights import Difference

# What a row says, the gravest first.
CHANGES = ("delete", "replace", "change", "make", "refuse", "leave-out")
_PROBLEM = "problem"
_TITLES = ("CHANGE", "PLACE", "MAPPING", "ARN", "DETAILS")
# What the table shows in columns of its own, or follows from them.
_APART = ("name", "arn", "canonical")


@dataclasses.dataclass(frozen=True)
class Row:
    """One change, or why there is none.

    Attributes:
        change: One of `CHANGES`, or ``problem`` for a mapping that would no longer work.
        place: Where the text has the entry; empty for a mapping that it does not declare.
        name: The mapping; empty if there is none.
        details: What changes, or the reason.
    """

    change: str
    place: str = ""
    name: str = ""
    arn: str = ""
    details: str = ""


def rows(
    declared: Declared,
    plan: Plan,
    found: Iterable[IdentityMapping],
    problems: Mapping[str, str],
    rights: Mapping[str, Difference] = MappingProxyType({}),
) -> list[Row]:
    """Return what ``plan``, made of what is ``declared``, does to the mappings ``found``.

    ``problems`` are those of mappings that work before it, and ``rights`` how the roles that come
    with them change, both by the mapping's name.
    """
    updated = {entry.name for entry in plan.update}
    others = {entry.name for _, entry in plan.create} | updated
    left = [
        each
        for each in declared.entries
        if each.name in rights and each.name not in others and each.place not in plan.not_applied
    ]
    before = {mapping.name: mapping for mapping in found}
    after = {mapping.name: mapping for mapping in plan.after}
    made = [_made(former, entry) for former, entry in plan.create]
    return [
        *(_deleted(before[name]) for name in plan.delete),
        *(row for row in made if row.change == "replace"),
        *(_changed(before[entry.name], entry, rights.get(entry.name)) for entry in plan.update),
        *(_changed(before[each.name], each, rights[each.name]) for each in left),
        *(row for row in made if row.change == "make"),
        *(Row("refuse", place, details=why) for place, why in plan.not_applied.items()),
        *(Row("leave-out", out.place, details=out.reason) for out in declared.left_out),
        *(Row(_PROBLEM, "", name, after[name].arn, why) for name, why in problems.items()),
    ]


def counts(listed: Iterable[Row]) -> dict[str, str]:
    """Return how many rows there are of each of `CHANGES`."""
    number = collections.Counter(row.change for row in listed)
    return {change: str(number[change]) for change in CHANGES}


def tables(listed: Sequence[Row], limit: int) -> list[str]:
    """Return the table in pages of at most ``limit`` bytes; at least one."""
    if not listed:
        return ["nothing would change"]
    cells = (dataclasses.astuple(row) for row in listed)
    return columns.tables(_TITLES, _TITLES, cells, limit)


def _deleted(mapping: IdentityMapping) -> Row:
    return Row("delete", "", mapping.name, mapping.arn, f"was {_identity(mapping)}")


def _made(former: str, entry: Entry) -> Row:
    roles = f", roles {_listed(map(str, entry.rights))}" if entry.rights else ""
    details = f"{_identity(mapping_of(entry))}{roles}"
    if not former:
        return Row("make", entry.place, entry.name, entry.arn, details)
    details = f"{details}, in place of mapping {former}"
    return Row("replace", entry.place, entry.name, entry.arn, details)


def _changed(mapping: IdentityMapping, entry: Entry, rights: Difference | None = None) -> Row:
    new = mapping_of(entry)
    differences = (
        _difference(field.name, getattr(mapping, field.name), getattr(new, field.name))
        for field in dataclasses.fields(mapping)
        if field.compare and field.name not in _APART
    )
    roles = _added("roles", rights.add, rights.remove) if rights else ""
    details = "; ".join(filter(None, (*differences, roles)))
    return Row("change", entry.place, entry.name, entry.arn, details)


def _difference(name: str, old: object, new: object) -> str:
    """Return how a field changes; empty if it does not. Quotes keep a value from looking like
    more than one."""
    if old == new:
        return ""
    if isinstance(old, tuple):
        before, after = cast("tuple[object, ...]", old), cast("tuple[object, ...]", new)
        return _added(name, _without(after, before), _without(before, after))
    return f"{name}: {old!r} becomes {new!r}"


def _added(name: str, added: Collection[object], removed: Collection[object]) -> str:
    parts = (
        f"add {_listed(added)}" if added else "",
        f"remove {_listed(removed)}" if removed else "",
    )
    return f"{name}: {', '.join(filter(None, parts)) or 'another order'}"


def _without(these: tuple[object, ...], others: tuple[object, ...]) -> list[object]:
    known = set(others)
    return [each for each in these if each not in known]


def _identity(mapping: IdentityMapping) -> str:
    groups = f"groups {_listed(mapping.groups)}" if mapping.groups else "no groups"
    until = f", until {mapping.expires}" if mapping.expires else ""
    return f"{mapping.username!r} with {groups}{until}"


def _listed(names: Iterable[object]) -> str:
    """Return the names; the one that gives everything stands first, so that no others hide it."""
    return ", ".join(map(repr, sorted(names, key=lambda name: name != rbac.MASTERS)))

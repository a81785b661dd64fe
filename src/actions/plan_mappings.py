# SPDX-License-Identifier: Apache-2.0

"""`plan-mappings`: what another text of the option `mappings` would change; it changes nothing."""

from __future__ import annotations

import collections
import dataclasses
from collections.abc import Collection, Iterable, Mapping
from typing import Any, cast

import times
from access import changes, desired, problems, rbac, table
from access.changes import Changes
from access.declaration.declared import Declared
from access.desired import Access, Desired
from access.mapping import IdentityMapping, RoleBinding
from actions import MAX_BYTES
from cluster import access, bindings, set_roles
from cluster.errors import errors_as_status
from hook import Hook
from text import word

# What a row says, the gravest first: a fault keeps the whole option from being applied.
CHANGES = ("fault", "delete", "change", "make", "wait", "leave-out")
_PROBLEM = "problem"
_TITLES = ("CHANGE", "PLACE", "MAPPING", "ARN", "DETAILS")
# What stands behind a role or a group that allows everything in the whole cluster.
_EVERYTHING = " (everything)"
# What the table shows in columns of its own, or follows from them.
_APART = ("name", "arn", "canonical")


def run(params: Mapping[str, Any], hook: Hook) -> Mapping[str, str]:
    """Return ``plan``, a table, and the number of each kind of change. ``more`` is there if the
    plan is cut.

    If the text has faults, the changes are those that its good entries would make; which mappings
    it would delete, nobody knows.
    """
    config = dataclasses.replace(hook.config, mappings=params["mappings"])
    declared, partition = config.declared, config.partition
    good = dataclasses.replace(declared, faults=())
    with errors_as_status():
        client = hook.client
        found = access.read(client)
        roles = set_roles.find(client, good, found.mappings)
        wanted = desired.access(good, found, roles, times.now())
        steps = changes.changes(found, wanted.access)
        mighty = bindings.roles_of_everything(client) if steps.bind else ()
    known = problems.find(found.mappings, partition)
    after = problems.find(wanted.access.mappings, partition)
    new = {name: problem for name, problem in after.items() if name not in known}
    rows = _rows(declared, found, wanted, steps, new, mighty)
    cells = map(dataclasses.astuple, (dataclasses.replace(row, arn=word(row.arn)) for row in rows))
    text, left = table.table_of(_TITLES, _TITLES, cells, MAX_BYTES)
    results = {"plan": text if rows else "nothing would change"}
    if left:
        results["more"] = f"and {left:,} more; the numbers beside the plan count these too"
    number = collections.Counter(row.change for row in rows)
    return {**results, **{change: str(number[change]) for change in CHANGES}}


@dataclasses.dataclass(frozen=True)
class PlanRow:
    """One change, or why there is none."""

    change: str  # One of `CHANGES`, or ``problem`` for a mapping that would no longer work.
    place: str = ""  # Where the text has the entry; empty for a mapping that it does not declare.
    name: str = ""  # The mapping; empty if there is none.
    arn: str = ""
    details: str = ""  # What changes, or the reason.


def _rows(
    declared: Declared,
    found: Access,
    wanted: Desired,
    steps: Changes,
    problems: Mapping[str, str],
    mighty: Collection[str],
) -> list[PlanRow]:
    """Return what the changes ``steps`` do, which turn what was ``found`` into what is ``wanted``.

    ``declared`` is what the text declares. ``problems`` are those of mappings that work before,
    by their names, and ``mighty`` the ClusterRoles that allow everything.
    """
    bound, unbound = _by_mapping(steps.bind, mighty), _by_mapping(steps.unbind)
    before = {each.name: each for each in found.mappings}
    after = {each.name: each for each in wanted.access.mappings}
    ending = {each.name for each in steps.end}
    # The status of people's mappings is nothing that the option changes.
    changed = {each.name: None for each in steps.change if each.name in wanted.places}
    changed |= {name: None for name in (*bound, *unbound) if name in after}

    def row(name: str) -> PlanRow:
        place, old, new = wanted.places.get(name, ""), before.get(name), after[name]
        if old and name not in ending:
            return _changed(place, old, new, bound[name], unbound[name])
        return _made(place, old, new, bound[name])

    made = [row(name) for name in changed]
    gone = [each for each in steps.end if each.name not in after and not declared.faults]
    return [
        *(PlanRow("fault", each.place, details=each.reason) for each in declared.faults),
        *(PlanRow("delete", "", m.name, m.arn, f"was {_identity(m)}") for m in gone),
        *sorted(made, key=lambda row: CHANGES.index(row.change)),
        *(PlanRow("wait", where, details=why) for where, why in wanted.not_applied.items()),
        *(PlanRow("leave-out", out.place, details=out.reason) for out in declared.left_out),
        *(PlanRow(_PROBLEM, "", name, after[name].arn, why) for name, why in problems.items()),
    ]


def _by_mapping(
    bindings: Iterable[RoleBinding], mighty: Collection[str] = ()
) -> collections.defaultdict[str, list[str]]:
    """Return the roles that are bound, by the mapping's name. Those that are ``mighty`` allow
    everything."""
    found = collections.defaultdict[str, list[str]](list)
    # A cell is cut, and a role in the whole cluster gives most.
    for each in sorted(bindings, key=lambda each: each.namespace != ""):
        is_mighty = each.role in mighty and not each.namespace
        found[each.mapping].append(f"{each}{_EVERYTHING if is_mighty else ''}")
    return found


def _made(
    place: str, old: IdentityMapping | None, new: IdentityMapping, roles: list[str]
) -> PlanRow:
    details = _identity(new) + (f", roles {_listed(roles)}" if roles else "")
    if old:
        details += f", in place of one of {word(old.arn)}, which the option did not make"
    return PlanRow("make", place, new.name, new.arn, details)


def _changed(
    place: str,
    old: IdentityMapping,
    new: IdentityMapping,
    added: list[str],
    removed: list[str],
) -> PlanRow:
    differences = [
        _difference(field.name, getattr(old, field.name), getattr(new, field.name))
        for field in dataclasses.fields(new)
        if field.compare and field.name not in _APART
    ]
    if added or removed:
        differences.append(_added("roles", added, removed))
    return PlanRow("change", place, new.name, old.arn, "; ".join(filter(None, differences)))


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
    until = f", until {word(mapping.expires)}" if mapping.expires else ""
    return f"{mapping.username!r} with {groups}{until}"


def _listed(names: Iterable[object]) -> str:
    """Return the names; the one that gives everything stands first, so that no others hide it."""
    ordered = sorted(names, key=lambda name: name != rbac.MASTERS)
    return ", ".join(f"{each!r}{_EVERYTHING if each == rbac.MASTERS else ''}" for each in ordered)

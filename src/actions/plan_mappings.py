# SPDX-License-Identifier: Apache-2.0

"""`plan-mappings`: what another text of the option `mappings` would change; it changes nothing."""

from __future__ import annotations

import collections
import dataclasses
from collections.abc import Collection, Iterable, Mapping
from typing import Any, cast

import times
from access import desired, rbac, table, validity
from access.declaration.declared import Declared
from access.desired import Changes, Desired
from access.mapping import IdentityMapping
from access.rights import RoleBinding
from actions import MAX_BYTES
from cluster import bindings, state
from cluster.errors import errors_as_status
from hook import Hook
from labels import OPTION
from statuses import options
from text import word

# What a row says, the gravest first.
CHANGES = ("delete", "replace", "change", "make", "refuse", "leave-out")
_PROBLEM = "problem"
_TITLES = ("CHANGE", "PLACE", "MAPPING", "ARN", "DETAILS")
# What stands behind a role or a group that allows everything in the whole cluster.
_EVERYTHING = " (everything)"
# What the table shows in columns of its own, or follows from them.
_APART = ("name", "arn", "canonical")


def run(params: Mapping[str, Any], hook: Hook) -> Mapping[str, str]:
    """Return ``plan``, a table, and the number of each kind of change. ``more`` is there if the
    plan is cut."""
    config = dataclasses.replace(hook.config, mappings=params["mappings"])
    declared, partition = config.declared, config.partition
    if declared.error:
        raise ValueError(options.MAPPINGS_INVALID(problem=declared.error))
    with errors_as_status():
        client = hook.client
        found = state.access(client, hook.owner, newest=True)
        there = state.needed(client, found, declared.entries, partition)
        wanted = desired.access(declared, there, times.now(), partition)
        steps = desired.changes(found, wanted.access)
        mighty = bindings.roles_of_everything(client) if steps.bind else ()
    known = validity.check(found.mappings, partition).problems
    after = validity.check(wanted.access.mappings, partition).problems
    problems = {name: problem for name, problem in after.items() if name not in known}
    rows = _rows(declared, wanted, steps, problems, mighty)
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
    wanted: Desired,
    changes: Changes,
    problems: Mapping[str, str],
    mighty: Collection[str],
) -> list[PlanRow]:
    """Return what ``changes`` do, which make the cluster have what is ``wanted``.

    ``declared`` is what the text declares. ``problems`` are those of mappings that work before,
    by their names, and ``mighty`` the ClusterRoles that allow everything.
    """
    bound, unbound = _by_mapping(changes.bind, mighty), _by_mapping(changes.unbind)
    after = {mapping.name: mapping for mapping in wanted.access.mappings}
    touched = {new.name for new in changes.create}
    touched |= {new.name for _, new in (*changes.replace, *changes.update)}
    others = [name for name in {**bound, **unbound} if name in after and name not in touched]
    changed = [*changes.update, *((after[name], after[name]) for name in others)]

    def made(old: IdentityMapping | None, new: IdentityMapping) -> PlanRow:
        return _made(wanted.places.get(new.name, ""), old, new, bound[new.name])

    return [
        *(PlanRow("delete", "", m.name, m.arn, f"was {_identity(m)}") for m in changes.delete),
        *(made(old, new) for old, new in changes.replace),
        *(
            _changed(wanted.places.get(new.name, ""), old, new, bound[new.name], unbound[new.name])
            for old, new in changed
        ),
        *(made(None, new) for new in changes.create),
        *(PlanRow("refuse", where, details=why) for where, why in wanted.not_applied.items()),
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
    if not old:
        return PlanRow("make", place, new.name, new.arn, details)
    whose = "" if old.source == OPTION else f" of {word(old.arn)}, which the option did not make"
    return PlanRow(
        "replace", place, new.name, new.arn, f"{details}, in place of mapping {old.name}{whose}"
    )


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

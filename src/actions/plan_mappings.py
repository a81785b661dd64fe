# SPDX-License-Identifier: Apache-2.0

"""`plan-mappings`: what another text of the option `mappings` would change; it changes nothing."""

from __future__ import annotations

import collections
import dataclasses
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

import times
from access import desired, problems, rbac, subjects
from access.desired import Access, Desired
from access.mapping import IdentityMapping
from access.table import fitting
from actions import MAX_BYTES
from cluster import access, bindings, pod_logs
from cluster.errors import errors_as_status
from hook import Hook
from owner import OPTION
from text import first, quoted, word

# How lines begin, the gravest first: a fault keeps the whole option from being applied. Lines on
# mappings that would no longer work follow, with ``problem``.
CHANGES = ("fault", "delete", "change", "make", "wait", "leave-out")
# What stands behind a role or a group that allows everything in the whole cluster.
_EVERYTHING = " (everything)"
# How many groups and roles of a mapping are shown.
_LISTED = 20


def run(params: Mapping[str, Any], hook: Hook) -> Mapping[str, str]:
    """Return ``plan``, a line for each change, and the number of each kind of them. ``more`` is
    there if the plan is cut.

    If the text has faults, the changes are those that its good entries would make; which mappings
    it would delete, nobody knows.
    """
    config = dataclasses.replace(hook.config, mappings=params["mappings"])
    declared, partition = config.declared, config.partition
    good = dataclasses.replace(declared, faults=())
    with errors_as_status():
        client = hook.client
        found = access.read(client)
        roles = pod_logs.set_roles(client, good, found.mappings)
        wanted = desired.access(good, found, roles, times.now())
        mighty = bindings.roles_of_everything(client)
    known = problems.find(found.mappings, partition)
    after = problems.find(wanted.access.mappings, partition)
    wrong = {name: problem for name, problem in after.items() if name not in known}
    planned = [
        *(("fault", str(each)) for each in declared.faults),
        *sorted(_changes(found, wanted, mighty), key=lambda each: CHANGES.index(each[0])),
        *(("wait", f"{place}: {why}") for place, why in wanted.not_applied.items()),
        *(("leave-out", str(each)) for each in declared.left_out),
        *(("problem", f"mapping {name}: {why}") for name, why in wrong.items()),
    ]
    if declared.faults:
        planned = [each for each in planned if each[0] != "delete"]
    lines, left = fitting([f"{change}: {line}" for change, line in planned], MAX_BYTES)
    results = {"plan": "\n".join(lines) or "nothing would change"}
    if left:
        results["more"] = f"and {left:,} more; the numbers beside the plan count these too"
    number = collections.Counter(change for change, _ in planned)
    return {**results, **{change: str(number[change]) for change in CHANGES}}


def _changes(found: Access, wanted: Desired, mighty: Collection[str]) -> Iterator[tuple[str, str]]:
    """Yield what happens to each mapping that changes, and what it gives then.

    ``mighty`` are the ClusterRoles that allow everything.
    """
    before = {each.name: each for each in found.mappings}
    after = {each.name: each for each in wanted.access.mappings}
    old, new = _given(found, mighty), _given(wanted.access, mighty)
    for name, mapping in before.items():
        if name not in after:
            yield "delete", f"mapping {name} of {word(mapping.arn)}, {old[name]}"
    for name, mapping in after.items():
        former, place = before.get(name), wanted.places.get(name, "-")
        line = f"{place}: mapping {name} of {word(mapping.arn)}, {new[name]}"
        if not former:
            yield "make", line
        elif former.principal != mapping.principal:
            yield "make", f"{line}, in place of one of {word(former.arn)}"
        elif old[name] != new[name]:
            yield "change", f"{line}; was {old[name]}"


def _given(found: Access, mighty: Collection[str]) -> dict[str, str]:
    """Return what each mapping makes of a login, by the mapping's name."""
    roles = collections.defaultdict[str, list[str]](list)
    # Those in the whole cluster give most, so no others hide them.
    for each in sorted(found.bindings, key=lambda each: each.namespace != ""):
        is_mighty = each.role in mighty and not each.namespace
        roles[each.mapping].append(f"{quoted(str(each))}{_EVERYTHING if is_mighty else ''}")
    return {each.name: _identity(each, roles[each.name]) for each in found.mappings}


def _identity(mapping: IdentityMapping, roles: Sequence[str]) -> str:
    ordered = sorted(mapping.groups, key=lambda group: group != rbac.MASTERS)
    groups = [
        f"{quoted(each)}{_EVERYTHING if each == rbac.MASTERS else ''}"
        for each in ordered
        if each != subjects.own_group(mapping.name)
    ]
    listed = f"groups {', '.join(first(groups, _LISTED))}" if groups else "no groups"
    parts = [
        f"{quoted(mapping.username)} with {listed}",
        f"roles {', '.join(first(roles, _LISTED))}" if roles else "",
        f"until {word(mapping.expires)}" if mapping.expires else "",
        "" if mapping.source == OPTION else f"made by {mapping.source or 'kubectl'}",
    ]
    return ", ".join(filter(None, parts))

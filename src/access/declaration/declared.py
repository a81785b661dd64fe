# SPDX-License-Identifier: Apache-2.0

"""The option `mappings`: who may log in, as its operator declares it. Pure."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

import times
from access import partitions
from access.declaration import accounts, entry, formats, roles, yaml_text
from access.declaration.entry import Entry
from access.declaration.formats import LeftOut, Unchecked
from access.declaration.yaml_text import Value
from access.mapping import IdentityMapping
from access.permission_sets import of_spelling

# How many bindings an option may ask for: each hook looks at all of them.
MOST_BINDINGS = 50_000
# How many parts without an effect are told.
MOST_LEFT_OUT = 1_000


@dataclasses.dataclass(frozen=True)
class Wrong:
    """An entry with a fault. Nobody gets access by it, and whoever has access by it keeps that.

    Attributes:
        name: The name of its mapping, as far as it is known.
        principal: The canonical form of its ARN, as far as it is known.
    """

    place: str
    reason: str
    name: str = ""
    principal: str = ""


@dataclasses.dataclass(frozen=True)
class Declared:
    """What the option declares.

    Attributes:
        left_out: Its parts that have no effect here.
        wrong: Its entries with a fault.
        error: Why the option cannot be read. Then nobody knows what it declares.
    """

    entries: tuple[Entry, ...] = ()
    left_out: tuple[LeftOut, ...] = ()
    wrong: tuple[Wrong, ...] = ()
    error: str = ""

    def kept(self, found: Iterable[IdentityMapping]) -> frozenset[str]:
        """Return the names of mappings ``found`` that an entry with a fault may have made.

        Where neither name nor principal can be read, it may have made any of them.
        """
        names = {each.name for each in self.wrong}
        principals = {each.principal for each in self.wrong} - {""}
        of_any = any(not (each.name or each.principal) for each in self.wrong)
        return frozenset(
            mapping.name
            for mapping in found
            if of_any or mapping.name in names or mapping.principal in principals
        )

    @property
    def known(self) -> Sequence[Entry] | None:
        """Return the entries; None if something is wrong with the option."""
        return None if self.error else self.entries

    @property
    def learns(self) -> bool:
        """Return whether a permission set is declared without its suffix."""
        return any(each.learns for each in self.entries)


def parse(text: str, now: datetime, partition: str = partitions.DEFAULT) -> Declared:
    """Return what the text of the option declares, without entries that have ended at ``now``.

    ``partition`` is that of roles that an entry names without an ARN. An entry with a fault is
    left out, and the others count.

    Raises:
        ValueError: the text cannot be read, or means too much; one line says why.
    """
    listed, found_left_out = formats.read(text)
    left_out, wrong = list(found_left_out), list[Wrong]()
    candidates: list[tuple[bool, Entry]] = []
    count = bindings = 0
    for each in listed:
        keys: dict[str, Value] = {}
        try:
            keys = _keys(each)
            said = formats.translated(keys)
            keys = said.keys
            access = roles.together((*roles.parse(keys.get("access")), *said.access))
            fault = ""
        except ValueError as error:
            said, access, fault = formats.Translated(keys), roles.NOTHING, str(error)
        if reason := said.unused or entry.meaningless(keys):
            left_out.append(LeftOut(each.place, reason))
            continue
        if keys.get("accounts") == []:
            left_out.append(LeftOut(f"{each.place}.accounts", "it is empty, so it maps nobody"))
        left_out += [LeftOut(f"{each.place}.{part}", why) for part, why in access.left_out]
        for place, own, problem in accounts.expand(each.place, keys, partition, count):
            count += 1
            if problem or fault:
                wrong.append(Wrong(place, problem or fault, *entry.identity(own)))
                continue
            try:
                made, without = entry.read(place, own, access)
            except ValueError as error:
                wrong.append(Wrong(place, str(error), *entry.identity(own)))
                continue
            if made.expires and times.parse(made.expires) <= now:
                left_out.append(LeftOut(place, f"its access ended at {made.expires}"))
                continue
            bindings += sum(len(right.places) for right in made.rights)
            if bindings > MOST_BINDINGS:
                raise ValueError(f"{place}.access exceeds {MOST_BINDINGS:,} bindings")
            candidates.append((each.wins, made))
            left_out += without
    entries, twice, same_name = _unique(candidates)
    wrong += same_name
    return Declared(tuple(entries), _bounded([*left_out, *twice]), tuple(wrong))


def _bounded(left_out: list[LeftOut]) -> tuple[LeftOut, ...]:
    if len(left_out) <= MOST_LEFT_OUT:
        return tuple(left_out)
    more = LeftOut("the option", f"{len(left_out) - MOST_LEFT_OUT:,} more parts are left out")
    return (*left_out[:MOST_LEFT_OUT], more)


def _keys(each: Unchecked) -> dict[str, Value]:
    if isinstance(each.value, dict):
        return yaml_text.lowered("the entry", each.value)
    raise ValueError("it is not a map with arn, username and groups")


def _unique(
    candidates: Sequence[tuple[bool, Entry]],
) -> tuple[list[Entry], list[LeftOut], list[Wrong]]:
    """Return the entries that count, those whose principal has another, and those whose name has.

    As on EKS, an access entry counts whatever a row of aws-auth says, and otherwise the last one.
    """
    chosen: dict[str, Entry] = {}
    for _, each in sorted(candidates, key=lambda candidate: candidate[0]):
        chosen[str(each.permission_set or each.principal)] = each
    counts = {each.place: each for each in chosen.values()}
    sets = {
        (each.permission_set.name.lower(), each.permission_set.account): each
        for each in counts.values()
        if each.permission_set
    }
    entries = dict[str, Entry]()
    twice, wrong = list[LeftOut](), list[Wrong]()
    for _, each in candidates:
        place, principal = each.place, str(each.permission_set or each.principal)
        if place not in counts:
            other = chosen[principal].place
            twice.append(LeftOut(place, f"{other} has the same principal, and counts"))
        elif other := _set_of(each, sets):
            reason = f"it has the same principal as {other.place}"
            wrong.append(Wrong(place, reason, each.name, each.principal))
        elif other := entries.get(each.name):
            reason = f"it has the same name as {other.place}: {each.name}"
            wrong.append(Wrong(place, reason, each.name, each.principal))
        else:
            entries[each.name] = each
    return list(entries.values()), twice, wrong


def _set_of(found: Entry, sets: Mapping[tuple[str, str], Entry]) -> Entry | None:
    """Return the entry of the permission set whose role ``found`` names by its ARN: which of the
    two counts would depend on when the role is learned."""
    role = of_spelling(found.arn) if sets else None
    other = sets.get((role.name, role.account)) if role else None
    if not role or not other or not other.permission_set:
        return None
    return other if other.permission_set.suffix in ("", role.suffix) else None

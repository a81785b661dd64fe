# SPDX-License-Identifier: Apache-2.0

"""The option `mappings`: who may log in, as its operator declares it. Pure."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

import times
from access import partitions
from access.declaration import accounts, entry, formats, roles, yaml_text
from access.declaration.entry import Entry, Mark, Meant, lowered, marks
from access.declaration.formats import LeftOut, Unchecked
from access.declaration.yaml_text import Value
from access.mapping import IdentityMapping
from access.permission_sets import of_spelling

# How many mappings and bindings an option may declare: each hook looks at all of them.
MOST = 50_000


@dataclasses.dataclass(frozen=True)
class Wrong:
    """An entry with a fault. It gives nobody access, and takes nobody's away."""

    place: str
    reason: str
    meant: Meant | None = None  # Whom it means; None if another entry counts in its place.


@dataclasses.dataclass(frozen=True)
class Declared:
    """What the option declares."""

    entries: tuple[Entry, ...] = ()
    left_out: tuple[LeftOut, ...] = ()  # Its parts that have no effect here.
    wrong: tuple[Wrong, ...] = ()  # Its entries with a fault.
    error: str = ""  # Why the option cannot be read. Then nobody knows what it declares.
    # When the access of a principal ends, by the mark of its entry that counts; empty for never.
    ends: Mapping[Mark, str] = dataclasses.field(default_factory=dict[Mark, str])

    def kept(self, former: Iterable[IdentityMapping]) -> dict[str, Sequence[str]]:
        """Return which of the ``former`` mappings each entry with a fault may have made: their
        names, sorted, by its place.

        Those are the mappings of its principal. Where that cannot be read, it is the mapping of
        its name, or else those that look like its own. If there is none, it may be any of them.
        """
        names, by_mark = list[str](), dict[Mark, list[str]]()
        for mapping in sorted(former, key=lambda each: each.name):
            names.append(mapping.name)
            for mark in lowered(marks(mapping)):
                by_mark.setdefault(mark, []).append(mapping.name)

        def having(wanted: Iterable[Mark]) -> list[str]:
            found = (by_mark.get(mark, ()) for mark in lowered(wanted))
            return sorted({name for each in found for name in each})

        def made(meant: Meant) -> Sequence[str]:
            if meant.principals:
                return having(meant.principals)
            likely = (meant.name and having([("name", meant.name)])) or having(meant.hints)
            return likely or ([] if meant.name else names)

        kept = {each.place: made(each.meant) for each in self.wrong if each.meant}
        return {place: each for place, each in kept.items() if each}

    @property
    def known(self) -> Sequence[Entry] | None:
        """Return the entries; None if something is wrong with the option."""
        return None if self.error else self.entries

    @property
    def learns(self) -> bool:
        """Return whether a permission set is declared without its suffix."""
        return any(each.learns for each in self.entries)


class Candidate(NamedTuple):
    """An entry, good or not, and whether it counts whatever a row of aws-auth says."""

    wins: bool
    entry: Entry | Wrong
    has_ended: bool = False  # Then it gives nothing, and hides what it hid before.

    @property
    def marks(self) -> Iterable[Mark]:
        """Return whom the entry is about."""
        if isinstance(self.entry, Entry):
            return (self.entry.mark,)
        return self.entry.meant.principals if self.entry.meant else ()


def parse(text: str, now: datetime, partition: str = partitions.DEFAULT) -> Declared:
    """Return what the text of the option declares, without entries that have ended at ``now``.

    ``partition`` is that of roles that an entry names without an ARN. An entry with a fault is
    left out, and the others count.

    Raises:
        ValueError: the text cannot be read, or means too much; one line says why.
    """
    listed, found_left_out = formats.read(text)
    left_out, candidates = list(found_left_out), list[Candidate]()
    count = 0
    for each in listed:
        keys: dict[str, Value] = {}
        try:
            keys = _keys(each)
            said = formats.translated(keys, partition)
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
        for place, own, problem in accounts.expand(each.place, keys, partition):
            count += 1 + sum(len(right.places) for right in access.rights)
            if count > MOST:
                raise ValueError(f"{place} exceeds {MOST:,} mappings and bindings")
            has_ended = False
            try:
                reason = problem or fault
                made, without = (None, []) if reason else entry.read(place, own, access)
                if made and made.expires:
                    has_ended = times.parse(made.expires) <= now
            except ValueError as error:
                made, without, reason = None, [], str(error)
            if not made:
                wrong = Wrong(place, reason, entry.meant(own))
                candidates.append(Candidate(each.wins, wrong))
                continue
            candidates.append(Candidate(each.wins, made, has_ended))
            ended = LeftOut(place, f"its access ended at {made.expires}")
            left_out += [ended] if has_ended else without
    found = _unique(candidates)
    return dataclasses.replace(found, left_out=(*left_out, *found.left_out))


def _keys(each: Unchecked) -> dict[str, Value]:
    if isinstance(each.value, dict):
        return yaml_text.lowered("the entry", each.value)
    raise ValueError("it is not a map with arn, username and groups")


def _unique(candidates: Sequence[Candidate]) -> Declared:
    """Return the entries that count, those whose principal has another, and those with a fault.

    As on EKS, an access entry counts whatever a row of aws-auth says, and otherwise the last one.
    One with a fault takes its place among them, and so does one that has ended: what it hides
    would give its principal more, or less, than the option ever said.
    """
    chosen = {
        mark: each
        for each in sorted(candidates, key=lambda each: each.wins)
        for mark in each.marks
    }
    sets = {value.lower(): each.entry for (kind, value), each in chosen.items() if kind == "set"}
    entries, places = list[Entry](), dict[str, str]()
    twice, wrong, ends = list[LeftOut](), list[Wrong](), dict[Mark, str]()
    for candidate in candidates:
        each, others = candidate.entry, [chosen[mark] for mark in candidate.marks]
        is_hidden = bool(others) and all(other is not candidate for other in others)
        if isinstance(each, Wrong):
            wrong.append(dataclasses.replace(each, meant=None) if is_hidden else each)
            if each.meant and each.meant.name and not is_hidden:
                places.setdefault(each.meant.name, each.place)
            continue
        other = _set_of(each, sets)
        [mark] = lowered((each.mark,))
        meant = Meant(frozenset((each.mark,)), each.name)
        if candidate.has_ended:
            if not is_hidden and not other:
                ends[mark] = each.expires
        elif is_hidden:
            what = "has ended" if others[0].has_ended else "counts"
            reason = f"{others[0].entry.place} has the same principal, and {what}"
            twice.append(LeftOut(each.place, reason))
        elif other:
            reason = f"it has the same principal as {other.place}"
            wrong.append(Wrong(each.place, reason, meant))
        elif place := places.get(each.name):
            reason = f"it has the same name as {place}: {each.name}"
            wrong.append(Wrong(each.place, reason, meant))
        else:
            entries.append(each)
            places[each.name] = each.place
            ends[mark] = each.expires
    return Declared(tuple(entries), tuple(twice), tuple(wrong), ends=ends)


def _set_of(found: Entry, sets: Mapping[str, Entry | Wrong]) -> Entry | Wrong | None:
    """Return the entry of the permission set whose role ``found`` names by its ARN: which of the
    two counts would depend on when the role is learned."""
    role = of_spelling(found.arn) if sets else None
    other = sets.get(str(role)) if role else None
    if role and isinstance(other, Entry) and other.permission_set:
        return other if other.permission_set.suffix in ("", role.suffix) else None
    return other

# SPDX-License-Identifier: Apache-2.0

"""The option `mappings`: who may log in, as its operator declares it. Pure."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from access import partitions
from access.declaration import entry, formats, roles, yaml_text
from access.declaration.entry import Entry, Mark, lowered, marks
from access.declaration.formats import LeftOut, Unchecked
from access.declaration.yaml_text import Value
from access.mapping import IdentityMapping
from access.permission_sets import of_spelling


@dataclasses.dataclass(frozen=True)
class Wrong:
    """An entry with a fault. It gives nobody access, and takes nobody's away."""

    place: str
    reason: str
    # Whom it means, as far as it says that; None if another entry counts in its place.
    meant: frozenset[Mark] | None = None


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

        Those are the mappings of its principal. Where that cannot be read, it may be any of them.
        """
        names, by_mark = list[str](), dict[Mark, set[str]]()
        for mapping in former:
            names.append(mapping.name)
            for mark in lowered(marks(mapping)):
                by_mark.setdefault(mark, set()).add(mapping.name)
        kept = dict[str, Sequence[str]]()
        for each in self.wrong:
            if each.meant is None:
                continue
            own = {name for mark in lowered(each.meant) for name in by_mark.get(mark, ())}
            if made := own if each.meant else names:
                kept[each.place] = sorted(made)
        return kept

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
        return self.entry.meant or ()


def parse(text: str, now: datetime, partition: str = partitions.DEFAULT) -> Declared:
    """Return what the text of the option declares, without entries that have ended at ``now``.

    ``partition`` is that of roles that an entry names without an ARN. An entry with a fault is
    left out, and the others count.

    Raises:
        ValueError: the text cannot be read; one line says why.
    """
    listed, left_out = formats.read(text)
    candidates = list[Candidate]()
    for each in listed:
        keys, unused = dict[str, Value](), ""
        without, has_ended = list[LeftOut](), False
        try:
            keys = _keys(each)
            said = formats.translated(keys, partition)
            keys, unused = said.keys, said.unused
            access = roles.together((*roles.parse(keys.get("access")), *said.access))
            made, without = entry.read(each.place, keys, access)
            if has_ended := made.has_ended(now):
                without = [LeftOut(each.place, f"its access ended at {made.expires}")]
        except ValueError as error:
            made, without = Wrong(each.place, str(error), entry.meant(keys)), []
        if reason := unused or entry.meaningless(keys):
            left_out.append(LeftOut(each.place, reason))
            continue
        candidates.append(Candidate(each.wins, made, has_ended))
        left_out += without
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
    entries = list[Entry]()
    twice, wrong, ends = list[LeftOut](), list[Wrong](), dict[Mark, str]()
    for candidate in candidates:
        each, others = candidate.entry, [chosen[mark] for mark in candidate.marks]
        is_hidden = bool(others) and all(other is not candidate for other in others)
        if isinstance(each, Wrong):
            wrong.append(dataclasses.replace(each, meant=None) if is_hidden else each)
            continue
        other = _set_of(each, sets)
        [mark] = lowered((each.mark,))
        if candidate.has_ended:
            if not is_hidden and not other:
                ends[mark] = each.expires
        elif is_hidden:
            what = "has ended" if others[0].has_ended else "counts"
            reason = f"{others[0].entry.place} has the same principal, and {what}"
            twice.append(LeftOut(each.place, reason))
        elif other:
            reason = f"it has the same principal as {other.place}"
            wrong.append(Wrong(each.place, reason, frozenset((each.mark,))))
        else:
            entries.append(each)
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

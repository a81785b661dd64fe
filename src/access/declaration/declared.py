# SPDX-License-Identifier: Apache-2.0

"""The option `mappings`: who may log in, as its operator declares it. Pure."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import NamedTuple

from access import partitions
from access.declaration import eks, entry, formats, roles, yaml_text
from access.declaration.entry import Entry, set_key
from access.declaration.formats import Remark, Unchecked
from access.permission_sets import of_spelling


@dataclasses.dataclass(frozen=True)
class Declared:
    """What the option declares. As long as it has a fault, nothing of it is applied."""

    entries: tuple[Entry, ...] = ()  # Also those whose access has ended.
    left_out: tuple[Remark, ...] = ()  # Its parts that have no effect here.
    faults: tuple[Remark, ...] = ()  # What is wrong with it.
    partition: str = partitions.DEFAULT  # That of the permission sets' roles.

    @property
    def problem(self) -> str:
        """Return the first fault, and how many others there are; empty without one."""
        if not self.faults:
            return ""
        others = len(self.faults) - 1
        return f"{self.faults[0]}{f' (and {others:,} more)' if others else ''}"

    def of(self, principal: str) -> Entry | None:
        """Return the entry that declares ``principal``, a canonical ARN: by itself, or by its
        permission set; None if none does."""
        if found := self._principals.get(principal):
            return found
        if not self._sets or not principal.startswith(f"arn:{self.partition}:"):
            return None
        return self._sets.get(set_key(of_spelling(principal)))

    @functools.cached_property
    def _principals(self) -> Mapping[str, Entry]:
        return {each.principal: each for each in self.entries if each.principal}

    @functools.cached_property
    def _sets(self) -> Mapping[str, Entry]:
        return {each.key: each for each in self.entries if each.learns}


class _Row(NamedTuple):
    """An entry, and whether it counts on EKS whatever a row of aws-auth says."""

    wins: bool
    entry: Entry


def parse(text: str, now: datetime, partition: str = partitions.DEFAULT) -> Declared:
    """Return what the text of the option declares; ``partition`` is the authenticator's."""
    try:
        listed, left_out = formats.read(text)
    except ValueError as error:
        return Declared(faults=(Remark("", str(error)),), partition=partition)
    rows, faults = list[_Row](), list[Remark]()
    for each in listed:
        try:
            made, without = _entry(each, partition)
        except eks.Meaningless as why:
            left_out.append(Remark(each.place, str(why)))
        except ValueError as error:
            faults.append(Remark(each.place, str(error)))
        else:
            rows.append(_Row(each.wins, made))
            left_out += without
    entries, hidden, twice = _unique(rows)
    left_out += hidden
    left_out += [
        Remark(each.place, f"its access ended at {each.expires}")
        for each in entries
        if each.has_ended(now)
    ]
    return Declared(tuple(entries), tuple(left_out), (*faults, *twice), partition)


def _entry(each: Unchecked, partition: str) -> tuple[Entry, list[Remark]]:
    """Return an entry, and its parts without an effect here; raise as `entry.read` does."""
    if isinstance(each.value, dict):
        keys = yaml_text.lowered("the entry", each.value)
        keys, policies = eks.translated(keys, partition)
        entry.refuse_meaningless(keys)
        access = roles.together((*roles.parse(keys.get("access")), *policies))
        return entry.read(each.place, keys, access, partition)
    raise ValueError("it is not a map with arn, username and groups")


def _unique(rows: Iterable[_Row]) -> tuple[list[Entry], list[Remark], list[Remark]]:
    """Return the entries that count, those that others hide, and what is wrong with the others.

    As on EKS, an access entry counts whatever a row of aws-auth says. Otherwise nobody knows which
    of two entries of one principal is meant.
    """
    chosen, hidden, faults = dict[str, _Row](), list[Remark](), list[Remark]()
    for row in sorted(rows, key=lambda row: row.wins):
        each, other = row.entry, chosen.get(row.entry.key)
        if other and other.wins == row.wins:
            faults.append(_twice(each, other.entry))
            continue
        if other:
            why = f"{each.place} has the same principal, and counts"
            hidden.append(Remark(other.entry.place, why))
        chosen[each.key] = row
    entries = [row.entry for row in chosen.values()]
    # Which of the two counts would depend on when the role of the set is learned.
    sets = {each.key: each for each in entries if each.learns}
    roles_of_sets = ((e, sets.get(set_key(of_spelling(e.principal)))) for e in entries if sets)
    faults += [_twice(each, other) for each, other in roles_of_sets if other]
    return entries, hidden, faults


def _twice(each: Entry, other: Entry) -> Remark:
    return Remark(each.place, f"it has the same principal as {other.place}")

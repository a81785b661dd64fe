# SPDX-License-Identifier: Apache-2.0

"""The option `mappings`: who may log in, as its operator declares it. Pure."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Mapping
from datetime import datetime

from access import partitions
from access.declaration import entry, formats
from access.declaration.entry import Entry, set_key
from access.declaration.rights import Remark
from access.permission_sets import of_role


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
        return self._sets.get(set_key(of_role(principal)))

    @functools.cached_property
    def _principals(self) -> Mapping[str, Entry]:
        return {each.principal: each for each in self.entries if each.principal}

    @functools.cached_property
    def _sets(self) -> Mapping[str, Entry]:
        return {each.key: each for each in self.entries if each.learns}


def parse(text: str, now: datetime, partition: str = partitions.DEFAULT) -> Declared:
    """Return what the text of the option declares; ``partition`` is the authenticator's."""
    try:
        rows, left_out = formats.read(text)
    except ValueError as error:
        return Declared(faults=(Remark("", str(error)),), partition=partition)
    read, faults = list[Entry](), list[Remark]()
    for row in rows:
        try:
            found, without = entry.read(row, partition)
        except entry.Meaningless as why:
            left_out.append(Remark(row.place, str(why)))
        except ValueError as error:
            faults.append(Remark(row.place, str(error)))
        else:
            read.append(found)
            left_out += without
    entries, hidden, twice = _chosen(read)
    left_out += hidden
    left_out += [
        Remark(each.place, f"its access ended at {each.expires}")
        for each in entries
        if each.has_ended(now)
    ]
    return Declared(entries, tuple(left_out), (*faults, *twice), partition)


def _chosen(read: list[Entry]) -> tuple[tuple[Entry, ...], list[Remark], list[Remark]]:
    """Return the entries that count, those that they hide, and those that have the principal of
    another: nobody knows which of the two is meant.

    As on EKS, an access entry counts whatever a row of aws-auth says.
    """
    chosen, hidden, faults = dict[str, Entry](), list[Remark](), list[Remark]()
    for each in sorted(read, key=lambda each: each.wins):
        other = chosen.get(each.key)
        if other and other.wins == each.wins:
            faults.append(_twice(each, other))
            continue
        if other:
            hidden.append(Remark(other.place, f"{each.place} has the same principal, and counts"))
        chosen[each.key] = each
    entries = tuple(chosen.values())
    # Which of the two counts would depend on when the role of the set is learned.
    sets = {each.key: each for each in entries if each.learns}
    for each in entries if sets else ():
        if other := sets.get(set_key(of_role(each.principal))):
            faults.append(_twice(each, other))
    return entries, hidden, faults


def _twice(each: Entry, other: Entry) -> Remark:
    return Remark(each.place, f"it has the same principal as {other.place}")

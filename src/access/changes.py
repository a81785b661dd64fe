# SPDX-License-Identifier: Apache-2.0

"""What turns the access that the cluster has into the one that is wanted. Pure.

There are four kinds of change: a mapping ends, or is created or changed; a binding goes, or comes.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from datetime import datetime

import times
from access.desired import Access
from access.mapping import IdentityMapping, RoleBinding
from text import word


@dataclasses.dataclass(frozen=True)
class Changes:
    """Changes, each kind by itself."""

    end: tuple[IdentityMapping, ...] = ()  # Mappings to delete.
    unbind: tuple[RoleBinding, ...] = ()  # Bindings to delete.
    # Mappings to create or to change, the charm's first. An ARN cannot change, so one of another
    # ARN ends first.
    change: tuple[IdentityMapping, ...] = ()
    bind: tuple[RoleBinding, ...] = ()  # Bindings to create, once those of their keys are gone.

    @property
    def keys(self) -> set[str]:
        """Return what changes: a mapping by its name, a binding by its key."""
        mappings, bindings = (*self.end, *self.change), (*self.unbind, *self.bind)
        return {*(each.name for each in mappings), *(each.key for each in bindings)}

    @property
    def leftovers(self) -> set[str]:
        """Return the names of mappings to delete that others made under names of their own. They
        come last: whoever may write mappings could have any number of them end at once."""
        taken = {each.name for each in self.change}
        return {each.name for each in self.end if not each.source and each.name not in taken}

    def lines(self, why: str, ended: Mapping[str, datetime]) -> list[str]:
        """Return a line for the log for each change, which stays true whatever becomes of it.

        ``ended`` says of the mappings whose access is over when it ended; ``why`` is the reason of
        the other changes. What is about mappings of others comes last, for the same reason as
        `leftovers`: a log is cut.
        """
        leftovers = self.leftovers
        lines = list[tuple[bool, str]]()
        for each in self.end:
            end = ended.get(each.name)
            reason = f"expired at {times.shown(end)}" if end else why
            lines.append((each.name in leftovers, f"{reason}: delete mapping {_known(each)}"))
        for each in self.unbind:
            lines.append((False, f"{why}: delete binding {_bound(each)}"))
        for each in self.change:
            lines.append((not each.source, f"{why}: write mapping {_known(each)}"))
        for each in self.bind:
            lines.append((False, f"{why}: create binding {_bound(each)}"))
        return [line for _, line in sorted(lines, key=lambda each: each[0])]


def changes(found: Access, wanted: Access) -> Changes:
    """Return what turns the access ``found`` into the one that is ``wanted``."""
    there = {each.name: each for each in found.mappings}
    principals = {each.name: each.principal for each in wanted.mappings}
    end = tuple(each for each in found.mappings if principals.get(each.name) != each.principal)
    gone = {each.name for each in end}
    # Kubernetes deletes a binding whose owner is gone, so a new mapping gets new ones.
    uids = {each.name: each.uid for each in found.mappings if each.name not in gone}
    bound = {each.key: each for each in found.bindings}
    # Somebody may delete a mapping between the lists of mappings and of bindings.
    bind = {each.key: each for each in wanted.bindings if each.mapping in principals}
    kept = {
        key
        for key, each in bound.items()
        if bind.get(key) == each and each.owner == uids.get(each.mapping)
    }
    change = (e for e in wanted.mappings if e.name in gone or there.get(e.name) != e)
    return Changes(
        end,
        tuple(each for key, each in bound.items() if key not in kept),
        tuple(sorted(change, key=lambda each: not each.source)),
        tuple(each for key, each in bind.items() if key not in kept),
    )


def _known(mapping: IdentityMapping) -> str:
    return f"{mapping.name} of {word(mapping.arn)}"


def _bound(binding: RoleBinding) -> str:
    return f"{binding.key.lstrip('/')} of {binding} for mapping {word(binding.mapping)}"

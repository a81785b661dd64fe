# SPDX-License-Identifier: Apache-2.0

"""What makes an IAMIdentityMapping work, or never work. Pure."""

from __future__ import annotations

import dataclasses
import datetime
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from access import arn, expiry, logins, matching, partitions, reserved
from access.logins import Record
from access.mapping import IdentityMapping
from labels import OPTION
from statuses import mapping as texts

if TYPE_CHECKING:
    from access.declaration.formats import LeftOut

# After how long somebody is asked whether a mapping is still needed.
UNUSED = datetime.timedelta(days=90)


@dataclasses.dataclass(frozen=True)
class MappingReport:
    """What the charm reports of all mappings together.

    Attributes:
        total: How many there are.
        problems: What is wrong with a mapping, by its name: duplicates of declared mappings first.
        duplicates: The names of mappings of others with the ARN of a declared mapping.
        corrections: The ``status.canonicalARN`` to write, by the mapping's name: first those
            that let another principal in than the mapping names.
        written: How many corrections the hook made, and changes that the option mappings asks for.
        pending: How many of them it left to the next hook.
        not_applied: Why an entry of the option is not applied, by its place.
        left_out: The parts of the option that have no meaning here.
        rights_pending: How many bindings of the mappings' rights are left to the next hook.
        next_end: When the next access ends, or ended if the mapping is still there.
        unused: How many mappings let nobody in for `UNUSED`.
        unused_administrators: How many of these are among ``administrators``.
        after: All mappings, as the hook leaves them.
        administrators: Those by which somebody can administer the cluster, whatever people bind.
        learns: Whether the option has a permission set without its suffix: no event announces the
            role.
    """

    total: int = 0
    problems: Mapping[str, str] = dataclasses.field(default_factory=dict[str, str])
    corrections: Mapping[str, str] = dataclasses.field(default_factory=dict[str, str])
    duplicates: frozenset[str] = frozenset()
    written: int = 0
    pending: int = 0
    not_applied: Mapping[str, str] = dataclasses.field(default_factory=dict[str, str])
    left_out: tuple[LeftOut, ...] = ()
    learns: bool = False
    rights_pending: int = 0
    next_end: datetime.datetime | None = None
    unused: int = 0
    unused_administrators: int = 0
    after: Sequence[IdentityMapping] = ()
    administrators: Sequence[IdentityMapping] = ()

    @property
    def lasting_administrators(self) -> int:
        """Return how many of the ``administrators`` never end."""
        return sum(expiry.end(mapping) is None for mapping in self.administrators)

    @property
    def left(self) -> int:
        """Return how much of all this is left to the next hook."""
        return self.pending + self.rights_pending


def check(found: Iterable[IdentityMapping], partition: str = partitions.DEFAULT) -> MappingReport:
    """Check every mapping, by itself and among the others.

    ``partition`` is the authenticator's.

    A mapping that the authenticator refuses loses its canonical ARN. The authenticator would leave
    the former one in place, and the former principal would keep the mapping's username and groups.
    """
    mappings = sorted(found, key=lambda mapping: mapping.name)
    same: dict[str, list[IdentityMapping]] = defaultdict(list)
    for mapping in mappings:
        same[mapping.principal].append(mapping)
    duplicates = _duplicates(same)
    problems = {
        mapping.name: problem
        for mapping in mappings
        if (problem := _problem(mapping, partition, same, duplicates))
    }
    wrong = [mapping for mapping in mappings if mapping.canonical != mapping.principal]
    wrong.sort(key=lambda mapping: not mapping.canonical)
    corrections = {mapping.name: mapping.principal for mapping in wrong}
    names = frozenset(duplicates)
    return MappingReport(len(mappings), in_order(problems, names), corrections, names)


def _duplicates(same: Mapping[str, Sequence[IdentityMapping]]) -> dict[str, str]:
    """Return the mappings of others that have the ARN of a declared mapping, with its name.

    ``same`` are the mappings by their canonical ARNs.
    """
    found: dict[str, str] = {}
    for canonical, mappings in same.items():
        declared = next((each.name for each in mappings if each.source == OPTION), "")
        if canonical and declared:
            found |= {each.name: declared for each in mappings if each.source != OPTION}
    return found


def in_order(problems: Mapping[str, str], duplicates: frozenset[str]) -> dict[str, str]:
    """Return the problems by name, those of ``duplicates`` first: nobody hides these by others."""
    return dict(sorted(problems.items(), key=lambda item: (item[0] not in duplicates, item[0])))


def _problem(
    mapping: IdentityMapping,
    partition: str,
    same: Mapping[str, Sequence[IdentityMapping]],
    duplicates: Mapping[str, str],
) -> str | None:
    """Return why a mapping does not work; ``same`` are the mappings by their canonical ARNs."""
    if reason := refused(mapping, partition):
        return reason
    if not mapping.username:
        return texts.USERNAME_EMPTY()
    if other := next(_of_others(mapping), ""):
        return texts.GROUP_RESERVED(group=other, name=other.partition(":")[2])
    if declared := duplicates.get(mapping.name):
        return texts.DUPLICATE_OF_DECLARED(declared=declared, name=mapping.name)
    # Somebody may have made thousands of them.
    other = next((each.name for each in same[mapping.principal] if each.name != mapping.name), "")
    if other and mapping.source != OPTION:
        return texts.DUPLICATE(name=other)
    return expiry.mismatch(mapping.expires)


def refused(mapping: IdentityMapping, partition: str) -> str | None:
    """Return why the authenticator lets nobody in by a mapping; None if it may let somebody in."""
    if reason := matching.refused(mapping):
        return reason
    if reason := arn.mismatch(mapping.arn, mapping.principal):
        return reason
    # A canonical ARN that logins match is well-formed.
    if reason := partitions.mismatch(mapping.principal.split(":", 2)[1], partition):
        return reason
    return None


def _of_others(mapping: IdentityMapping) -> Iterator[str]:
    """Yield the groups of a mapping that are for the rights of another one."""
    own = reserved.own_group(mapping.name)
    for group in mapping.groups:
        if group != own and reserved.may_be_own(group):
            yield group


def count_unused(report: MappingReport, record: Record, today: datetime.date) -> tuple[int, int]:
    """Return how many mappings let nobody in for `UNUSED`, and how many administrators of these. A
    record that is younger than that knows of none."""
    since = today - UNUSED
    if not record.since or record.since > since:
        return 0, 0
    unused = {each.name for each in report.after if logins.is_unused(each, record, since)}
    return len(unused), sum(each.name in unused for each in report.administrators)

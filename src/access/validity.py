# SPDX-License-Identifier: Apache-2.0

"""What makes an IAMIdentityMapping work, or never work. Pure."""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

import times
from access import arn, expiry, matching, partitions, subjects
from access.desired import Access
from access.mapping import IdentityMapping
from access.rights import has_own_group
from owner import GRANT, OPTION
from statuses import mapping as texts


@dataclasses.dataclass(frozen=True)
class Checked:
    """What is wrong with mappings."""

    # What is wrong with a mapping, by its name: duplicates of declared mappings first.
    problems: Mapping[str, str]
    # The names of mappings of others with the ARN of a declared mapping.
    duplicates: frozenset[str]


def check(found: Iterable[IdentityMapping], partition: str = partitions.DEFAULT) -> Checked:
    """Check every mapping, by itself and among the others.

    ``partition`` is the authenticator's.
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
    names = frozenset(duplicates)
    return Checked(in_order(problems, names), names)


def check_access(found: Access, ended: Mapping[str, datetime], partition: str) -> Checked:
    """Check every mapping, and what else decides about its access: the binding of a role that was
    granted, and its end. ``ended`` says when those ended that should be gone."""
    checked = check(found.mappings, partition)
    bound = {each.mapping for each in found.bindings}
    without = {
        each.name: texts.ROLE_GONE()
        for each in found.mappings
        if each.source == GRANT and has_own_group(each) and each.name not in bound
    }
    late = {name: texts.EXPIRED(time=times.shown(moment)) for name, moment in ended.items()}
    problems = {**without, **checked.problems, **late}
    return Checked(in_order(problems, checked.duplicates), checked.duplicates)


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
    own = subjects.own_group(mapping.name)
    others = (each for each in mapping.groups if each != own and subjects.may_be_own(each))
    if other := next(others, ""):
        return texts.GROUP_RESERVED(group=other, name=other.partition(":")[2])
    if declared := duplicates.get(mapping.name):
        return texts.DUPLICATE_OF_DECLARED(declared=declared, name=mapping.name)
    # Somebody may have made thousands of them.
    other = next((each.name for each in same[mapping.principal] if each.name != mapping.name), "")
    if other and mapping.source != OPTION:
        return texts.DUPLICATE(name=other)
    if mapping.source == GRANT and (role := arn.role_of_session(mapping.arn)):
        return texts.ONE_SESSION(role=role, name=mapping.name)
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

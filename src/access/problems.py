# SPDX-License-Identifier: Apache-2.0

"""What keeps IAMIdentityMappings from working as meant, and the remedy. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

import times
from access import arn, partitions, subjects
from access.mapping import IdentityMapping
from owner import OPTION
from statuses import mapping as texts

_NOTHING = dict[str, datetime]()


def find(
    found: Iterable[IdentityMapping],
    partition: str = partitions.DEFAULT,
    ended: Mapping[str, datetime] = _NOTHING,
) -> dict[str, str]:
    """Return what is wrong with mappings, by their names.

    ``partition`` is the authenticator's, and ``ended`` says of mappings that should be gone when
    their access ended. Mappings with the principal of a declared one come first: nobody hides
    these by others.
    """
    mappings = sorted(found, key=lambda each: (each.source != OPTION, each.name))
    same = defaultdict[str, list[IdentityMapping]](list)
    for each in mappings:
        same[each.principal].append(each)
    mappings.sort(key=lambda each: (same[each.principal][0].source != OPTION, each.name))
    return {
        each.name: problem
        for each in mappings
        if (problem := _problem(each, partition, same[each.principal], ended.get(each.name)))
    }


def _problem(
    mapping: IdentityMapping,
    partition: str,
    same: Sequence[IdentityMapping],
    ended: datetime | None,
) -> str | None:
    """Return what is wrong with a mapping; ``same`` are all of its principal, a declared one
    first."""
    if ended:
        return texts.EXPIRED(time=times.shown(ended))
    if reason := refused(mapping) or _of_arn(mapping, partition):
        return reason
    if not mapping.username:
        return texts.USERNAME_EMPTY()
    own = subjects.own_group(mapping.name)
    others = (each for each in mapping.groups if each != own and subjects.may_be_own(each))
    if group := next(others, ""):
        return texts.GROUP_RESERVED(group=group, name=group.partition(":")[2])
    # Somebody may have made thousands of them.
    other = next((each for each in same if each.name != mapping.name), None)
    if other and mapping.source != OPTION:
        if other.source == OPTION:
            return texts.DUPLICATE_OF_DECLARED(declared=other.name, name=mapping.name)
        return texts.DUPLICATE(name=other.name)
    try:
        if mapping.expires:
            times.parse(mapping.expires)
    except ValueError as error:
        return texts.EXPIRY_INVALID(problem=error)
    return None


def _of_arn(mapping: IdentityMapping, partition: str) -> str | None:
    """Return why no login has the ARN of a mapping, or why others have it too."""
    if reason := arn.mismatch(mapping.arn, mapping.principal):
        return reason
    # A canonical ARN that logins match is well-formed.
    if reason := partitions.mismatch(mapping.principal.split(":", 2)[1], partition):
        return reason
    if arn.is_session(mapping.arn, mapping.principal):
        return texts.ONE_SESSION(arn=mapping.principal)
    return None


def refused(mapping: IdentityMapping) -> str:
    """Return why the authenticator refuses each login that it looks up in ``mapping``; empty if it
    does not."""
    if not mapping.is_readable:
        return texts.GROUPS_INVALID()
    if any(subjects.NODE_NAME in name for name in (mapping.username, *mapping.groups)):
        return texts.PLACEHOLDER_UNKNOWN()
    return ""

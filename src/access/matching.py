# SPDX-License-Identifier: Apache-2.0

"""Why a principal may log in, or may not: the chain from its ARN to a mapping. Pure."""

from __future__ import annotations

import dataclasses
import difflib
import heapq
import re
from collections.abc import Iterable

from access import arn, placeholders, rbac, reserved
from access.arn import Principal
from access.mapping import IdentityMapping
from statuses import mapping as texts
from text import fill

_MISSES = 3
_PERMISSION_SET = re.compile(r"(awsreservedsso_.+_)[0-9a-f]{16}")
# How alike two names are, from 0 to 1, if a person may have written one for the other.
_ALIKE = 0.85
# How many names are compared letter by letter, and how long they may be: whoever may write
# mappings can write thousands of long ones that look alike. No name of IAM is longer.
_COMPARED, _LONGEST = 100, 640
_NAME_DIFFERS = (6, "the name differs")


@dataclasses.dataclass(frozen=True)
class Identity:
    """A Kubernetes user and its groups, with the fields filled in that are known."""

    username: str
    groups: tuple[str, ...]

    @property
    def is_open(self) -> bool:
        """Return whether fields are left that only a login fills in."""
        return any(placeholders.is_open(name) for name in (self.username, *self.groups))

    @property
    def superuser(self) -> bool:
        """Return whether the API server lets it do everything, whatever RBAC says."""
        return rbac.MASTERS in self.groups


def login(principal: Principal) -> Principal:
    """Return the principal that the authenticator looks up when ``principal`` logs in.

    It is in lower case, and a role has neither path nor session.
    """
    found = arn.parse(arn.canonicalize(str(principal)))
    if found.kind != "role":
        return found
    return dataclasses.replace(found, name=found.name.rpartition("/")[2])


def matching(looked_up: Principal, found: Iterable[IdentityMapping]) -> list[IdentityMapping]:
    """Return the mappings that let the principal in. Of several, the authenticator uses any."""
    canonical = str(looked_up)
    return sorted((m for m in found if m.canonical == canonical), key=lambda m: m.name)


def identity(mapping: IdentityMapping, principal: Principal) -> Identity:
    """Return the user that ``principal``, with its session if it has one, becomes by a mapping."""
    values = placeholders.known(principal)
    return Identity(
        fill(mapping.username, values),
        tuple(fill(group, values) for group in mapping.groups),
    )


def refused(mapping: IdentityMapping) -> str:
    """Return why the authenticator refuses each login that it looks up in ``mapping``; empty if it
    does not."""
    if not mapping.is_readable:
        return texts.GROUPS_INVALID()
    if any(reserved.NODE_NAME in name for name in (mapping.username, *mapping.groups)):
        return texts.PLACEHOLDER_UNKNOWN()
    return ""


def near_misses(looked_up: Principal, found: Iterable[IdentityMapping]) -> list[str]:
    """Return why mappings that somebody may have meant do not let the principal in; the nearest
    first, and at most three."""
    misses = [(miss, mapping) for mapping in found if (miss := _miss(looked_up, mapping))]
    others = [mapping for miss, mapping in misses if miss == _NAME_DIFFERS]
    alike = _alike(looked_up.name, others)
    near = [
        (*miss, mapping.name, mapping.arn)
        for miss, mapping in misses
        if miss != _NAME_DIFFERS or mapping.name in alike
    ]
    return [
        f"near miss: mapping {name} ({spelt}): {reason}"
        for _, reason, name, spelt in heapq.nsmallest(_MISSES, near)
    ]


def _alike(wanted: str, found: Iterable[IdentityMapping]) -> set[str]:
    """Return the names of the mappings whose principal has nearly the name ``wanted``."""
    matcher = difflib.SequenceMatcher(b=wanted)
    likely: list[tuple[float, str, str]] = []
    for mapping in found:
        meant = arn.parse(arn.canonicalize(mapping.arn)).name
        matcher.set_seq1(meant)
        if len(meant) > _LONGEST or matcher.real_quick_ratio() < _ALIKE:
            continue
        if (ratio := matcher.quick_ratio()) >= _ALIKE:
            likely.append((ratio, mapping.name, meant))
    alike: set[str] = set()
    for _, name, meant in heapq.nlargest(_COMPARED, likely):
        matcher.set_seq1(meant)
        if matcher.ratio() >= _ALIKE:
            alike.add(name)
    return alike


def _miss(wanted: Principal, mapping: IdentityMapping) -> tuple[int, str] | None:
    """Return how near the mapping is (0 is nearest), and why it does not match; None if it is
    about somebody else."""
    try:
        meant = arn.parse(arn.canonicalize(mapping.arn))
    except ValueError as error:
        last = mapping.arn.lower().rpartition("/")[2]
        return (8, str(error)) if last == wanted.name.rpartition("/")[2] else None
    if meant == wanted:
        return 0, "its status does not say so yet, the leader's next hook corrects that"
    if meant.kind == "role" and login(meant) == wanted:
        return 1, f"{arn.mismatch(mapping.arn)}"
    differing = {
        part
        for part in ("partition", "account", "kind", "name")
        if getattr(meant, part) != getattr(wanted, part)
    }
    if differing == {"name"}:
        return _other_name(meant.name, wanted.name)
    if meant.kind == "root" and differing == {"kind", "name"}:
        return 7, "the root user of an account admits nobody else of it"
    if len(differing) != 1:
        return None
    (part,) = differing
    rank = ("partition", "account", "kind").index(part) + 3
    return rank, f"the {part} differs"


def _other_name(meant: str, wanted: str) -> tuple[int, str]:
    if meant.rpartition("/")[2] == wanted.rpartition("/")[2]:
        return 2, "the path differs, and the login of a user has it"
    permission_set = _PERMISSION_SET.fullmatch(wanted)
    former = _PERMISSION_SET.fullmatch(meant)
    if permission_set and former and permission_set[1] == former[1]:
        return 2, "the permission set was provisioned again, so its role has another suffix"
    return _NAME_DIFFERS

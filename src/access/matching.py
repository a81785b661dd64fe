# SPDX-License-Identifier: Apache-2.0

"""Why a principal may log in, or may not: the chain from its ARN to a mapping. Pure."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator

from access import arn, rbac, subjects
from access.arn import Principal
from access.mapping import IdentityMapping
from access.permission_sets import of_spelling
from text import fill, word


@dataclasses.dataclass(frozen=True)
class Identity:
    """A Kubernetes user and its groups, with the fields filled in that are known."""

    username: str
    groups: tuple[str, ...]

    @property
    def is_open(self) -> bool:
        """Return whether fields are left that only a login fills in."""
        return any(subjects.is_open(name) for name in (self.username, *self.groups))

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


def canonical(text: str) -> str:
    """Return the ARN that the authenticator looks up when the principal of ARN ``text`` logs in.

    Return an empty text if ``text`` is not the ARN of a principal.
    """
    try:
        return str(login(arn.parse(arn.canonicalize(text))))
    except ValueError:
        return ""


def matching(looked_up: Principal, found: Iterable[IdentityMapping]) -> list[IdentityMapping]:
    """Return the mappings that let the principal in. Of several, the authenticator uses any."""
    canonical = str(looked_up)
    return sorted((m for m in found if m.canonical == canonical), key=lambda m: m.name)


def identity(mapping: IdentityMapping, principal: Principal) -> Identity:
    """Return the user that ``principal``, with its session if it has one, becomes by a mapping."""
    values = subjects.known(principal)
    return Identity(
        fill(mapping.username, values),
        tuple(fill(group, values) for group in mapping.groups),
    )


def near_misses(looked_up: Principal, found: Iterable[IdentityMapping]) -> Iterator[str]:
    """Yield which mappings somebody may have meant, and why each does not let the principal in."""
    for mapping in sorted(found, key=lambda mapping: mapping.name):
        if reason := _miss(looked_up, mapping):
            yield f"near miss: mapping {mapping.name} ({word(mapping.arn)}): {reason}"


def _miss(wanted: Principal, mapping: IdentityMapping) -> str:
    """Return why the mapping does not match; empty if it is about somebody else."""
    last = wanted.name.rpartition("/")[2]
    try:
        meant = arn.parse(arn.canonicalize(mapping.arn))
    except ValueError as error:
        return str(error) if mapping.arn.lower().rpartition("/")[2] == last else ""
    if meant == wanted:
        return "its status does not say so yet, the leader's next hook corrects that"
    parts = ("partition", "account", "kind", "name")
    differing = [part for part in parts if getattr(meant, part) != getattr(wanted, part)]
    if len(differing) != 1:
        return ""
    if differing != ["name"]:
        return f"the {differing[0]} differs"
    if meant.name.rpartition("/")[2] == last:
        return arn.mismatch(mapping.arn) or "the path differs, and the login of a user has it"
    permission_set, former = (of_spelling(str(each)) for each in (wanted, meant))
    if permission_set and former and permission_set.name == former.name:
        return "the permission set was provisioned again, so its role has another suffix"
    return ""

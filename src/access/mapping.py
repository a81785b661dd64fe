# SPDX-License-Identifier: Apache-2.0

"""An IAMIdentityMapping, and the bindings of the roles that come with it. Pure.

The roles are bound to a group that this mapping alone has. Only what the option declares, or the
parameters of `grant-access` say, gives rights. A group or an annotation of a mapping gives none:
whoever writes mappings could forge them.
"""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import re
from collections.abc import Iterable, Iterator

from access import arn, subjects
from access.arn import Principal
from text import fill

# How the names of the charm's bindings begin, and what nothing else is in them.
PREFIX = "aws-iam-"
BINDING_NAME = re.compile(rf"{PREFIX}[a-z0-9.-]+")


@dataclasses.dataclass(frozen=True)
class IdentityMapping:
    """An IAMIdentityMapping as the cluster has it."""

    name: str
    arn: str
    username: str
    canonical: str  # Its ``status.canonicalARN``, the key that logins are looked up by; or empty.
    groups: tuple[str, ...] = ()
    # Which part of this charm made it, its label `SOURCE`; empty if a person did.
    source: str = ""
    expires: str = ""  # When the charm deletes it, its annotation `EXPIRES`, unchecked; or empty.
    # Why a grant let somebody in, in the operator's words, its annotation `REASON`.
    reason: str = ""
    # Whether its groups are a list of names: before the CRD had a schema, anything could be there.
    is_readable: bool = True
    # What is wanted says nothing of its UID.
    uid: str = dataclasses.field(default="", compare=False)

    @functools.cached_property
    def principal(self) -> str:
        """Return what its status should have: the canonical form of its ARN; or empty, if the
        authenticator refuses that."""
        return arn.canonical_or_empty(self.arn)


@dataclasses.dataclass(frozen=True)
class Identity:
    """A Kubernetes user and its groups, with the fields filled in that are known."""

    username: str
    groups: tuple[str, ...]

    @property
    def is_open(self) -> bool:
        """Return whether fields are left that only a login fills in."""
        return any(subjects.is_open(name) for name in (self.username, *self.groups))


def identity(mapping: IdentityMapping, principal: Principal) -> Identity:
    """Return the user that ``principal``, with its session if it has one, becomes by a mapping."""
    values = subjects.known(principal)
    groups = tuple(fill(group, values) for group in mapping.groups)
    return Identity(fill(mapping.username, values), groups)


@dataclasses.dataclass(frozen=True)
class Right:
    """A ClusterRole that comes with a mapping."""

    role: str
    namespaces: tuple[str, ...] = ()  # Where the role counts; empty for the whole cluster.
    place: str = ""  # Where the mapping's entry has it, such as ``access[0]``.

    def __str__(self) -> str:
        where = f" in {', '.join(self.namespaces)}" if self.namespaces else ""
        return f"ClusterRole {self.role}{where}"

    @property
    def places(self) -> tuple[str, ...]:
        """Return the namespace of each of its bindings, which is empty for the whole cluster."""
        return self.namespaces or ("",)


@dataclasses.dataclass(frozen=True)
class RoleBinding:
    """A binding that the charm makes: a ClusterRoleBinding, or a RoleBinding in ``namespace``."""

    name: str
    namespace: str
    role: str  # The ClusterRole.
    group: str  # The group of its mapping's own; empty if it has other subjects.
    # Which part of the charm has made it, as for a mapping. Its mapping may pass from a grant to
    # the option, and the person keeps the role all the time.
    source: str = dataclasses.field(compare=False)
    # The UID of the mapping that owns the one in the cluster. What is wanted says nothing of it.
    owner: str = dataclasses.field(default="", compare=False)

    def __str__(self) -> str:
        where = f" in {self.namespace}" if self.namespace else ""
        return f"ClusterRole {self.role}{where}"

    @property
    def key(self) -> str:
        """Return what no two bindings share, and no mapping's name is: it has a slash."""
        return f"{self.namespace}/{self.name}"

    @property
    def mapping(self) -> str:
        """Return the name of its mapping."""
        return self.group.removeprefix(subjects.OWN)


def name_of(principal: str) -> str:
    """Return the name of the mapping that the charm makes for ``principal``, a canonical ARN."""
    return name_for(principal, arn.parse(principal).name.rpartition("/")[2] or "root")


def name_for(key: str, visible: str, most: int = 40, digits: int = 10) -> str:
    """Return a name for an object that is always the same for ``key``, and no other key's.

    It shows the first letters of ``visible``, as many as ``most``.
    """
    words = re.sub(r"[^a-z0-9]+", "-", visible.lower()).strip("-")[:most].strip("-")
    return f"{words or 'x'}-{hashlib.sha256(key.encode()).hexdigest()[:digits]}"


def bindings_of(
    mapping: str, rights: Iterable[Right], source: str
) -> Iterator[tuple[str, RoleBinding]]:
    """Yield the bindings that a mapping's ``rights`` ask for, each with its place."""
    for right in rights:
        for namespace in right.places:
            place = f"{right.place} in {namespace}" if namespace else right.place
            yield place, binding_of(mapping, right.role, namespace, source)


def binding_of(mapping: str, role: str, namespace: str, source: str) -> RoleBinding:
    """Return a binding whose name is always the same for it, and no other binding's."""
    name = f"{PREFIX}{name_for(f'{mapping}/{role}/{namespace}', mapping)}"
    return RoleBinding(name, namespace, role, subjects.own_group(mapping), source)

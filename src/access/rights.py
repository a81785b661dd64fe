# SPDX-License-Identifier: Apache-2.0

"""The rights that come with a mapping: roles, bound to a group that this mapping alone has. Pure.

Only what the option declares, or the parameters of `grant-access` say, gives rights. A group or an
annotation of a mapping gives none: whoever writes mappings could forge them.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator

from access import subjects
from access.mapping import IdentityMapping, name_for

# How the names of the charm's bindings begin.
PREFIX = "aws-iam-"
_CLUSTER_ROLE = "ClusterRole"


@dataclasses.dataclass(frozen=True)
class Right:
    """A ClusterRole that comes with a mapping."""

    role: str
    namespaces: tuple[str, ...] = ()  # Where the role counts; empty for the whole cluster.
    place: str = ""  # Where the mapping's entry has it, such as ``access[0]``.

    def __str__(self) -> str:
        where = f" in {', '.join(self.namespaces)}" if self.namespaces else ""
        return f"{_CLUSTER_ROLE} {self.role}{where}"

    @property
    def places(self) -> tuple[str, ...]:
        """Return the namespace of each of its bindings, which is empty for the whole cluster."""
        return self.namespaces or ("",)


@dataclasses.dataclass(frozen=True)
class RoleBinding:
    """A binding that the charm makes: a ClusterRoleBinding, or a RoleBinding in ``namespace``."""

    name: str
    namespace: str
    role_kind: str  # Each that the charm makes is of a ClusterRole. People may have changed it.
    role: str
    group: str  # The group of its mapping's own; empty if it has other subjects.
    # Which part of the charm has made it, as for a mapping. Its mapping may pass from a grant to
    # the option, and the person keeps the role all the time.
    source: str = dataclasses.field(compare=False)
    # The UID of the mapping that owns the one in the cluster. What is wanted says nothing of it.
    owner: str = dataclasses.field(default="", compare=False)

    def __str__(self) -> str:
        where = f" in {self.namespace}" if self.namespace else ""
        return f"{self.role_kind} {self.role}{where}"

    @property
    def key(self) -> str:
        """Return what no two bindings share, and no mapping's name is: it has a slash."""
        return f"{self.namespace}/{self.name}"

    @property
    def mapping(self) -> str:
        """Return the name of its mapping."""
        return self.group.removeprefix(subjects.OWN)


def bindings(
    mapping: str, rights: Iterable[Right], source: str
) -> Iterator[tuple[str, RoleBinding]]:
    """Yield the bindings that a mapping's ``rights`` ask for, each with its place."""
    for right in rights:
        for namespace in right.places:
            place = f"{right.place} in {namespace}" if namespace else right.place
            yield place, binding(mapping, right.role, namespace, source)


def binding(mapping: str, role: str, namespace: str, source: str) -> RoleBinding:
    """Return a binding whose name is always the same for it, and no other binding's."""
    name = f"{PREFIX}{name_for(f'{mapping}/{role}/{namespace}', mapping)}"
    group = subjects.own_group(mapping)
    return RoleBinding(name, namespace, _CLUSTER_ROLE, role, group, source)


def has_own_group(mapping: IdentityMapping) -> bool:
    """Return whether a mapping has the group to which its rights are bound."""
    return subjects.own_group(mapping.name) in mapping.groups


def is_whole(found: RoleBinding) -> bool:
    """Return whether a binding is as the charm made it: its name tells its mapping and role."""
    return found == binding(found.mapping, found.role, found.namespace, found.source)

# SPDX-License-Identifier: Apache-2.0

"""The rights that come with a mapping: roles, bound to a group that this mapping alone has. Pure.

Only what the option declares, or the parameters of `grant-access` say, gives rights. A group or an
annotation of a mapping gives none: whoever writes mappings could forge them.
"""

from __future__ import annotations

import dataclasses
import hashlib
import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping

from access import reserved
from access.mapping import IdentityMapping

CLUSTER_ROLE, ROLE = "ClusterRole", "Role"
_MAX_SHOWN = 40


@dataclasses.dataclass(frozen=True)
class Right:
    """A role that comes with a mapping.

    Attributes:
        kind: ``ClusterRole`` or ``Role``.
        namespaces: Where the role counts; empty for the whole cluster.
        place: Where the mapping's entry has it, such as ``access[0]``.
    """

    role: str
    kind: str = CLUSTER_ROLE
    namespaces: tuple[str, ...] = ()
    place: str = ""

    def __str__(self) -> str:
        where = f" in {', '.join(self.namespaces)}" if self.namespaces else ""
        return f"{self.kind} {self.role}{where}"

    @property
    def places(self) -> tuple[str, ...]:
        """Return the namespace of each of its bindings, which is empty for the whole cluster."""
        return self.namespaces or ("",)


@dataclasses.dataclass(frozen=True)
class RoleBinding:
    """A binding that the charm makes: a ClusterRoleBinding, or a RoleBinding in ``namespace``.

    Attributes:
        group: The group of its mapping's own; empty if it has other subjects.
        uid: Its mapping's uid; empty if the binding would not go with that mapping.
        source: Which part of the charm makes it, as for a mapping.
    """

    name: str
    namespace: str
    role_kind: str
    role: str
    group: str
    uid: str
    source: str

    def __str__(self) -> str:
        where = f" in {self.namespace}" if self.namespace else ""
        return f"{self.role_kind} {self.role}{where}"

    @property
    def key(self) -> tuple[str, str]:
        """Return what no two bindings share."""
        return self.namespace, self.name

    @property
    def mapping(self) -> str:
        """Return the name of its mapping."""
        return self.group.removeprefix(reserved.OWN)


def bindings(
    mapping: str, uid: str, rights: Iterable[Right], source: str
) -> Iterator[tuple[str, RoleBinding]]:
    """Yield the bindings that a mapping's ``rights`` ask for, each with its place."""
    for right in rights:
        for namespace in right.places:
            place = f"{right.place} in {namespace}" if namespace else right.place
            yield (
                place,
                RoleBinding(
                    name=_name(mapping, right, namespace),
                    namespace=namespace,
                    role_kind=right.kind,
                    role=right.role,
                    group=reserved.own_group(mapping),
                    uid=uid,
                    source=source,
                ),
            )


def _name(mapping: str, right: Right, namespace: str) -> str:
    """Return a name that is always the same for this binding, and no other binding's."""
    key = f"{mapping}/{right.kind}/{right.role}/{namespace}"
    visible = re.sub(r"[^a-z0-9]+", "-", mapping[:_MAX_SHOWN]).strip("-")
    return f"aws-iam-{visible}-{hashlib.sha256(key.encode()).hexdigest()[:10]}"


def has_own_group(mapping: IdentityMapping) -> bool:
    """Return whether a mapping has the group to which its rights are bound."""
    return reserved.own_group(mapping.name) in mapping.groups


def undeclared(
    found: Iterable[RoleBinding], keys: Collection[tuple[str, str]], leaving: Collection[str]
) -> list[RoleBinding]:
    """Return the bindings to delete: those without one of the declared ``keys``.

    Leave to Kubernetes' garbage collector what belongs to mappings with the uids ``leaving``.
    """
    return [each for each in found if each.key not in keys and each.uid not in leaving]


@dataclasses.dataclass(frozen=True)
class Difference:
    """Which roles a plan gives to a mapping, and takes from it."""

    add: tuple[str, ...] = ()
    remove: tuple[str, ...] = ()


def differences(
    wanted: Collection[RoleBinding], found: Collection[RoleBinding]
) -> dict[str, Difference]:
    """Return how the rights of each mapping change, by its name; those that change only."""
    there = {each.key: each for each in found}
    asked = {each.key for each in wanted}
    add, remove = defaultdict[str, list[str]](list), defaultdict[str, list[str]](list)
    for each in wanted:
        former = there.get(each.key)
        if not former or dataclasses.replace(former, uid=each.uid) != each:
            add[each.mapping].append(str(each))
    for each in found:
        if each.key not in asked:
            remove[each.mapping].append(str(each))
    return {
        name: Difference(tuple(add.get(name, ())), tuple(remove.get(name, ())))
        for name in (*add, *remove)
    }


def to_make(
    wanted: Mapping[str, RoleBinding], found: Iterable[RoleBinding]
) -> dict[str, tuple[RoleBinding, bool]]:
    """Return the bindings that are missing or differ, by their places, and whether one that
    differs must go first: the role of a binding cannot change."""
    there = {each.key: each for each in found}
    return {
        place: (each, each.key in there)
        for place, each in wanted.items()
        if there.get(each.key) != each
    }

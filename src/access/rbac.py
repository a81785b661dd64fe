# SPDX-License-Identifier: Apache-2.0

"""What RBAC gives to a Kubernetes user: the roles that bindings give to it or its groups. Pure."""

from __future__ import annotations

import bisect
import dataclasses
from collections import defaultdict
from collections.abc import Iterable, Iterator

from access import rights, subjects
from access.mapping import IdentityMapping
from text import one_line, word

# The API server lets this group do everything, before it looks at any role.
MASTERS = "system:masters"
# The API server adds this group to everybody who logs in.
EVERYBODY = "system:authenticated"


@dataclasses.dataclass(frozen=True)
class Binding:
    """A ClusterRoleBinding or, in a namespace, a RoleBinding."""

    name: str
    namespace: str  # Empty for a ClusterRoleBinding.
    role_kind: str
    role_name: str
    # Users among its subjects, and service accounts by their users' names.
    users: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()  # Groups among its subjects.
    everything: bool = False  # Whether its role allows everything.

    def __str__(self) -> str:
        if self.namespace:
            return f"RoleBinding/{self.namespace}/{word(self.name)}"
        return f"ClusterRoleBinding/{word(self.name)}"

    @property
    def role(self) -> str:
        """Return the role, and where it counts if its name does not say so."""
        if self.role_kind == "Role":
            return f"Role/{self.namespace}/{word(self.role_name)}"
        where = f" in {self.namespace}" if self.namespace else ""
        return f"ClusterRole/{word(self.role_name)}{where}"


@dataclasses.dataclass(frozen=True)
class RoleGrant:
    """A binding that gives its role to a user or group.

    ``kind`` is ``user`` or ``group``; ``subject`` is the name in the binding.
    """

    binding: Binding
    kind: str
    subject: str

    def goes_with(self, mapping: IdentityMapping) -> bool:
        """Return whether the charm made the binding for the group that ``mapping`` alone has."""
        found = self.binding
        own = rights.binding(mapping.name, found.role_name, found.namespace, mapping.source)
        expected = (own.group, own.name, own.role_kind)
        return (self.subject, found.name, found.role_kind) == expected


def open_to_all(reason: str, control_plane: str) -> str:
    """Return the warning that everybody may do everything. Its command has a line of its own: Juju
    folds a long line, and nobody could copy a folded command.

    ``reason`` is the API server's, if it gives one; ``control_plane`` is the control plane's
    application.
    """
    if reason:
        return f"everybody who logs in may do everything: {one_line(reason)}"
    return (
        "everybody who logs in may do everything, because the API server does not ask RBAC\n"
        f"run: juju config {control_plane} authorization-mode=RBAC,Node"
    )


class Bindings:
    """All bindings of a cluster, by their subjects."""

    def __init__(self, bindings: Iterable[Binding]):
        self._users, self._groups = _Subjects("user"), _Subjects("group")
        for binding in bindings:
            self._users.add(binding.users, binding)
            self._groups.add(binding.groups, binding)

    def of(self, username: str, groups: Iterable[str]) -> list[RoleGrant]:
        """Return what is given to a user and to groups.

        If only a login fills in a name, every subject that the name can become counts. What gives
        most comes first, and a namespace's roles last: its editor can make any number of bindings,
        and lists are cut.
        """
        found = [*self._users.find(username)]
        for group in groups:
            found += self._groups.find(group)
        return sorted(
            found, key=lambda each: (not each.binding.everything, each.binding.namespace != "")
        )


class _Subjects:
    def __init__(self, kind: str):
        self._kind = kind
        self._bindings: dict[str, list[Binding]] = defaultdict(list)
        self._sorted: list[str] = []
        self._open: dict[str, list[str]] = {}

    def add(self, names: Iterable[str], binding: Binding) -> None:
        # A template is not a user: a login fills it in, so nobody ever has it as a name.
        for subject in dict.fromkeys(each for each in names if not subjects.is_open(each)):
            self._bindings[subject].append(binding)

    def find(self, name: str) -> Iterator[RoleGrant]:
        for subject in self._named(name):
            for binding in self._bindings.get(subject, ()):
                yield RoleGrant(binding, self._kind, subject)

    def _named(self, name: str) -> list[str]:
        if not subjects.is_open(name):
            return [name]
        if name not in self._open:
            # Ten thousand mappings may have a template each, so only names that begin alike are
            # compared.
            self._sorted = self._sorted or sorted(self._bindings)
            prefix = subjects.beginning(name)
            begin = bisect.bisect_left(self._sorted, prefix)
            end = bisect.bisect_right(self._sorted, prefix, key=lambda name: name[: len(prefix)])
            self._open[name] = [s for s in self._sorted[begin:end] if subjects.can_become(name, s)]
        return self._open[name]

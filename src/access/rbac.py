# SPDX-License-Identifier: Apache-2.0

"""What RBAC gives to a Kubernetes user: the roles that bindings give to it or its groups. Pure."""

from __future__ import annotations

import dataclasses
from collections import defaultdict
from collections.abc import Iterable

from access import subjects
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


_BySubject = defaultdict[str, list[Binding]]


class Bindings:
    """All bindings of a cluster, by their subjects."""

    def __init__(self, bindings: Iterable[Binding]):
        self._by_kind = {"user": _BySubject(list), "group": _BySubject(list)}
        for binding in bindings:
            for kind, names in (("user", binding.users), ("group", binding.groups)):
                for name in dict.fromkeys(names):
                    self._by_kind[kind][name].append(binding)

    def of(self, username: str, groups: Iterable[str]) -> list[RoleGrant]:
        """Return what is given to a user and to groups.

        If only a login fills in a name, every subject that the name can become counts. What gives
        most comes first, and a namespace's roles last: its editor can make any number of bindings,
        and lists are cut.
        """
        names = (("user", username), *(("group", group) for group in groups))
        found = [
            RoleGrant(binding, kind, subject)
            for kind, name in names
            for subject in self._subjects(kind, name)
            for binding in self._by_kind[kind].get(subject, ())
        ]
        return sorted(
            found, key=lambda each: (not each.binding.everything, each.binding.namespace != "")
        )

    def _subjects(self, kind: str, name: str) -> list[str]:
        if not subjects.is_open(name):
            return [name]
        # Ten thousand mappings may have a template each, so a look at the beginning comes first.
        begin = subjects.beginning(name)
        alike = (each for each in self._by_kind[kind] if each.startswith(begin))
        # A template is not a user: a login fills it in, so nobody ever has it as a name.
        return [e for e in alike if subjects.can_become(name, e) and not subjects.is_open(e)]

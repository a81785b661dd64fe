# SPDX-License-Identifier: Apache-2.0

"""Which roles certainly let somebody administer the cluster, or become an administrator. Pure.

Kubernetes has more ways, which depend on what else is in the cluster. They are not looked for: a
role without a power here may still have one.

Source: Kubernetes' "Role Based Access Control Good Practices".
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable

# Where the service accounts of the cluster's own programs are.
SYSTEM = "kube-system"
EVERYTHING = "do everything"
# Kubernetes' own ClusterRole that allows everything.
ADMINISTRATOR = "cluster-admin"
_CORE, _RBAC, _MAPPINGS = "", "rbac.authorization.k8s.io", "iamauthenticator.k8s.aws"
_WRITE_MAPPINGS = "write mappings"
# What lets somebody become an administrator: the words for it, a rule that allows it, and the one
# object that is enough. A rule that names other objects does not count.
_POWERS = (
    ("impersonate users", ("impersonate",), _CORE, ("users",), None),
    ("impersonate groups", ("impersonate",), _CORE, ("groups",), "system:masters"),
    ("impersonate service accounts", ("impersonate",), _CORE, ("serviceaccounts",), None),
    ("escalate roles", ("escalate",), _RBAC, ("clusterroles",), None),
    ("bind roles", ("bind",), _RBAC, ("clusterroles",), ADMINISTRATOR),
    (
        _WRITE_MAPPINGS,
        ("create", "update", "patch"),
        _MAPPINGS,
        ("iamidentitymappings", "iamidentitymappings/status"),
        None,
    ),
)


@dataclasses.dataclass(frozen=True)
class Rule:
    """A rule of a role. Without ``names`` it is about all objects of its ``resources``."""

    verbs: frozenset[str]
    groups: frozenset[str]
    resources: frozenset[str]
    names: frozenset[str] = frozenset()

    def allows(
        self, verbs: Iterable[str], group: str, resources: Iterable[str], name: str | None
    ) -> bool:
        """Return whether it allows one of ``verbs`` on all of a resource, or on ``name``."""
        return (
            not self.groups.isdisjoint((group, "*"))
            and not self.verbs.isdisjoint((*verbs, "*"))
            and not self.resources.isdisjoint((*resources, "*"))
            and (not self.names or name in self.names)
        )


def of(rules: Iterable[Rule], namespace: str, *, mappings_denied: bool = False) -> tuple[str, ...]:
    """Return by what a ClusterRole with these ``rules`` makes its bearer an administrator.

    ``namespace`` is where the role counts; empty for the whole cluster. With ``mappings_denied``,
    the cluster lets nobody map to more than they may impersonate, so to write mappings gives
    nothing.
    """
    rules = list(rules)
    if any(rule.allows(("*",), "*", ("*",), None) for rule in rules):
        everything = {"": (EVERYTHING,), SYSTEM: (f"{EVERYTHING} in {SYSTEM}",)}
        return everything.get(namespace, ())
    if namespace:
        return ()
    return tuple(
        words
        for words, verbs, group, resources, name in _POWERS
        if not (mappings_denied and words == _WRITE_MAPPINGS)
        if any(rule.allows(verbs, group, resources, name) for rule in rules)
    )

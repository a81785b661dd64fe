# SPDX-License-Identifier: Apache-2.0

"""Which rules of RBAC let somebody become an administrator of the cluster. Pure.

Such rules look small: who may create pods in kube-system may use any of its service accounts.

Source: Kubernetes' "Role Based Access Control Good Practices", its list of privilege escalation
risks.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable

# Where the service accounts and the secrets of the cluster's own programs are.
SYSTEM = "kube-system"
_CORE, _RBAC, _MAPPINGS = "", "rbac.authorization.k8s.io", "iamauthenticator.k8s.aws"
_WRITE = ("create", "update", "patch")


@dataclasses.dataclass(frozen=True)
class Rule:
    """A rule of a role. Without ``names`` it is about all objects of its ``resources``."""

    verbs: frozenset[str]
    groups: frozenset[str]
    resources: frozenset[str]
    names: frozenset[str] = frozenset()

    def allows(self, verbs: Iterable[str], group: str, resources: Iterable[str]) -> bool:
        """Return whether it allows one of ``verbs`` on one of ``resources``."""
        return (
            not self.groups.isdisjoint((group, "*"))
            and not self.verbs.isdisjoint((*verbs, "*"))
            and not self.resources.isdisjoint((*resources, "*"))
        )


_WRITE_MAPPINGS = "write mappings"
# What lets somebody become an administrator: the words for it, and a rule that allows it. These
# count where the role counts in the whole cluster or in `SYSTEM`.
_ANYWHERE = (
    ("impersonate service accounts", ("impersonate",), _CORE, ("serviceaccounts",)),
    ("escalate roles", ("escalate",), _RBAC, ("clusterroles", "roles")),
    ("bind roles", ("bind",), _RBAC, ("clusterroles", "roles")),
    (f"read secrets of {SYSTEM}", ("get", "list", "watch"), _CORE, ("secrets",)),
    (f"create tokens in {SYSTEM}", ("create",), _CORE, ("serviceaccounts/token",)),
    (f"create pods in {SYSTEM}", ("create",), _CORE, ("pods", "replicationcontrollers")),
    (f"enter pods in {SYSTEM}", ("create", "get"), _CORE, ("pods/exec", "pods/attach")),
    (
        f"create pods in {SYSTEM}",
        _WRITE,
        "apps",
        ("deployments", "daemonsets", "replicasets", "statefulsets"),
    ),
    (f"create pods in {SYSTEM}", _WRITE, "batch", ("jobs", "cronjobs")),
)
# These count where the role counts in the whole cluster.
_EVERYWHERE = (
    ("impersonate users or groups", ("impersonate",), _CORE, ("users", "groups")),
    (
        _WRITE_MAPPINGS,
        _WRITE,
        _MAPPINGS,
        ("iamidentitymappings", "iamidentitymappings/status"),
    ),
)
EVERYTHING = "do everything"
# Kubernetes' own ClusterRole that allows everything.
ADMINISTRATOR = "cluster-admin"


def of(rules: Iterable[Rule], namespace: str, *, mappings_denied: bool = False) -> tuple[str, ...]:
    """Return by what a role with these ``rules`` makes its bearer able to become administrator.

    ``namespace`` is where the role counts; empty for the whole cluster. A rule that names its
    objects counts for those verbs only that a name makes no safer. With ``mappings_denied``, the
    cluster lets nobody map to more than they may impersonate, so to write mappings gives nothing.
    """
    if namespace not in ("", SYSTEM):
        return ()
    found: dict[str, None] = {}
    for rule in rules:
        if "*" in rule.verbs and "*" in rule.groups and "*" in rule.resources and not rule.names:
            return (EVERYTHING,)
        for words, verbs, group, resources in (
            *_ANYWHERE,
            *(() if namespace else _EVERYWHERE),
        ):
            if rule.names and verbs != ("impersonate",):
                continue
            if mappings_denied and words == _WRITE_MAPPINGS:
                continue
            if rule.allows(verbs, group, resources):
                found[words] = None
    return tuple(found)

# SPDX-License-Identifier: Apache-2.0

"""Which mappings let somebody administer the cluster, or make himself an administrator. Pure.

`powers_of` knows the common ways. Kubernetes has more, which depend on what else is in the
cluster, so a role may have a power that is not found here. `certain` returns only mappings that
make an administrator for sure, and for good.

Source: Kubernetes' "Role Based Access Control Good Practices".
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from access import expiry, rbac, subjects, table, validity
from access.mapping import IdentityMapping
from text import first, one_line, word

SYSTEM = "kube-system"
EVERYTHING = "do everything"
_CORE, _RBAC, _MAPPINGS = "", "rbac.authorization.k8s.io", "iamauthenticator.k8s.aws"
_WRITE_MAPPINGS = "write mappings"
# What lets somebody become an administrator: the words for it, a rule that allows it, and the one
# object that is enough. A rule that names other objects does not count.
_POWERS = (
    ("impersonate users", ("impersonate",), _CORE, ("users",), None),
    ("impersonate groups", ("impersonate",), _CORE, ("groups",), "system:masters"),
    ("impersonate service accounts", ("impersonate",), _CORE, ("serviceaccounts",), None),
    ("escalate roles", ("escalate",), _RBAC, ("clusterroles",), None),
    ("bind roles", ("bind",), _RBAC, ("clusterroles",), "cluster-admin"),
    (
        _WRITE_MAPPINGS,
        ("create", "update", "patch"),
        _MAPPINGS,
        ("iamidentitymappings", "iamidentitymappings/status"),
        None,
    ),
)
# What a role that allows everything gives to its bearer, by where it counts: in kube-system, the
# service accounts of the cluster's own programs.
_EVERYTHING_IN = {"": (EVERYTHING,), SYSTEM: (f"{EVERYTHING} in {SYSTEM}",)}
# How many mappings a text names.
_SHOWN = 3


class Rule(msgspec.Struct, frozen=True, rename={"groups": "apiGroups", "names": "resourceNames"}):
    """A rule of a role, as Kubernetes writes it. Without ``names`` it is about all objects of its
    ``resources``."""

    verbs: frozenset[str]
    groups: frozenset[str] = frozenset()
    resources: frozenset[str] = frozenset()
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


def powers_of(
    rules: Iterable[Rule], namespace: str, *, mappings_denied: bool = False
) -> tuple[str, ...]:
    """Return by what a ClusterRole with these ``rules`` makes its bearer an administrator.

    ``namespace`` is where the role counts; empty for the whole cluster. With ``mappings_denied``,
    the cluster lets nobody map to more than they may impersonate, so to write mappings gives
    nothing.
    """
    rules = list(rules)
    if any(rule.allows(("*",), "*", ("*",), None) for rule in rules):
        return _EVERYTHING_IN.get(namespace, ())
    if namespace:
        return ()
    return tuple(
        words
        for words, verbs, group, resources, name in _POWERS
        if not (mappings_denied and words == _WRITE_MAPPINGS)
        if any(rule.allows(verbs, group, resources, name) for rule in rules)
    )


def certain(
    found: Sequence[IdentityMapping], bindings: Iterable[rbac.Binding], partition: str
) -> list[IdentityMapping]:
    """Return the mappings by which somebody certainly administers the cluster, for as long as
    nobody changes that. They have no end, and no template makes their user or group. If a
    principal has several, all must be such: the authenticator uses any of them.

    The group is system:masters, or one of ``bindings`` is of a role that allows everything in the
    whole cluster. A mapping that lets nobody in does not count: a made-up one would hide that the
    last administrator is gone.
    """
    able = [each for each in bindings if EVERYTHING in each.powers]
    users = {name for each in able for name in each.users}
    groups = {rbac.MASTERS, *(name for each in able for name in each.groups)}

    def administers(mapping: IdentityMapping) -> bool:
        username, given = table.identity(mapping)
        names = users & {username} | groups & {*given}
        # A template is nobody's name: only a login fills it in.
        by_name = not all(map(subjects.is_open, names))
        return by_name and not expiry.end(mapping) and not validity.refused(mapping, partition)

    unsure = {each.principal for each in found if not administers(each)}
    return [each for each in found if each.principal not in unsure]


def warning(taken: Sequence[IdentityMapping]) -> str:
    """Return the warning that mappings ``taken`` away were the last; empty if none are taken."""
    if not taken:
        return ""
    named = first([f"{each.name} ({word(each.arn)})" for each in taken], _SHOWN)
    return one_line(
        "takes away the last mapping that can certainly administer the cluster: "
        f"{', '.join(named)}; the control plane's kubeconfig /home/ubuntu/config still can"
    )

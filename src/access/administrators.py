# SPDX-License-Identifier: Apache-2.0

"""Which mappings let somebody administer the cluster, or make himself an administrator. Pure.

`of` names whoever may come to do so. Kubernetes has more ways, which depend on what else is in
the cluster: a role without a power here may still have one. `certain` names whoever does so for
sure, and stays.

Source: Kubernetes' "Role Based Access Control Good Practices".
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

import msgspec

from access import expiry, rbac, subjects, table, validity
from access.mapping import IdentityMapping
from access.rights import CLUSTER_ROLE, RoleBinding
from text import one_line, word

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
# What a role that allows everything gives to its bearer, by where it counts: in kube-system, the
# service accounts of the cluster's own programs.
_EVERYTHING_IN = {"": (EVERYTHING,), SYSTEM: (f"{EVERYTHING} in {SYSTEM}",)}
# How many mappings a text names.
_SHOWN = 3
# What the API server gives to a group before it looks at any binding.
_BUILT_IN = rbac.Binding("", "", "", "", groups=(rbac.MASTERS,), powers=(EVERYTHING,))


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


def bound(made: RoleBinding) -> rbac.Binding:
    """Return a binding that the charm makes as one of the cluster's.

    Of its role's powers, it has those that need no look at the role's rules.
    """
    is_administrator = (made.role_kind, made.role) == (CLUSTER_ROLE, ADMINISTRATOR)
    return rbac.Binding(
        name=made.name,
        namespace=made.namespace,
        role_kind=made.role_kind,
        role_name=made.role,
        groups=(made.group,) if made.group else (),
        powers=_EVERYTHING_IN.get(made.namespace, ()) if is_administrator else (),
    )


def of(
    found: Iterable[IdentityMapping],
    bindings: rbac.Bindings,
    partition: str,
) -> list[IdentityMapping]:
    """Return the mappings by which somebody can administer the cluster, or come to do so, by one
    of ``bindings`` or without any.

    A mapping that lets nobody in does not count: a made-up one would hide that the last
    administrator is gone. Any other fault of a mapping changes nothing here.
    """
    able = rbac.Bindings([_BUILT_IN, *bindings.with_powers()])
    return [
        each
        for each in found
        if able.any_of(*table.identity(each)) and not validity.refused(each, partition)
    ]


def certain(
    found: Iterable[IdentityMapping],
    bindings: rbac.Bindings,
    partition: str,
) -> list[IdentityMapping]:
    """Return the mappings by which somebody certainly administers the cluster, for as long as
    nobody changes that: they have no end, no duplicate, and no template makes their user or group.

    The group is system:masters, or a role that allows everything in the whole cluster is bound.
    """
    able = rbac.Bindings(
        [_BUILT_IN, *(each for each in bindings.with_powers() if EVERYTHING in each.powers)]
    )
    found = list(found)
    # The authenticator uses any of several mappings of a principal.
    number = Counter(each.principal for each in found)
    lasting = [each for each in found if number[each.principal] == 1 and not expiry.end(each)]
    return [
        each
        for each in lasting
        if able.any_of(*_literal(each)) and not validity.refused(each, partition)
    ]


def _literal(mapping: IdentityMapping) -> tuple[str, list[str]]:
    """Return the user and the groups that are the same at each login."""
    username, groups = table.identity(mapping)
    certain = [group for group in groups if not subjects.is_open(group)]
    return "" if subjects.is_open(username) else username, certain


def warning(taken: Sequence[IdentityMapping], left: Sequence[IdentityMapping]) -> str:
    """Return the warning that mappings ``taken`` away were the last; empty if none are taken.

    By those that are ``left``, somebody can administer the cluster for a while, or perhaps.
    """
    if not taken:
        return ""
    last = "last mapping that can certainly" if left else "last mapping that can"
    remaining = f"by {_named(left)}, somebody can for a while, or perhaps; " if left else ""
    return one_line(
        f"takes away the {last} administer the cluster: {_named(taken)}; {remaining}the control "
        "plane's kubeconfig /home/ubuntu/config still can"
    )


def _named(found: Sequence[IdentityMapping]) -> str:
    """Return the mappings, each with its principal and its end."""
    named = list[str]()
    for mapping in found[:_SHOWN]:
        until = f", until {mapping.expires}" if expiry.end(mapping) else ""
        named.append(f"{mapping.name} ({word(mapping.arn)}{until})")
    if len(found) > _SHOWN:
        named.append(f"{len(found) - _SHOWN:,} more")
    return ", ".join(named)

# SPDX-License-Identifier: Apache-2.0

"""The ClusterRoles that come with an entry's mapping: of its key `access`, or like EKS' access
policies. Pure."""

from __future__ import annotations

import dataclasses
import re

from access.declaration.yaml_text import Value, items, keys_of, text_of
from access.mapping import Right
from text import quoted, word

_NAMESPACE = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
# What the API server takes as the name of a role, but for letters that are not ASCII.
_ROLE_NAME = re.compile(r"(?!\.\.?$)[!-$&-.0-~]{1,253}")
# Where an entry has its access policies. `formats` puts those of the last kind there.
ASSOCIATED = "associatedaccesspolicies"
POLICIES = {
    "accesspolicies": "accessPolicies",
    "policyassociations": "policy_associations",
    ASSOCIATED: "associatedAccessPolicies",
}
# The ClusterRoles of Kubernetes that are like EKS' access policies.
# https://docs.aws.amazon.com/eks/latest/userguide/access-policy-permissions.html
_LIKE = {
    "AmazonEKSClusterAdminPolicy": "cluster-admin",
    "AmazonEKSAdminPolicy": "admin",
    "AmazonEKSEditPolicy": "edit",
    "AmazonEKSViewPolicy": "view",
}


@dataclasses.dataclass(frozen=True)
class Remark:
    """What is wrong with a part of the option, or why that has no effect here. The place is empty
    where it is about the whole option."""

    place: str
    reason: str

    def __str__(self) -> str:
        return f"{self.place}: {self.reason}" if self.place else self.reason


def of_access(place: str, value: Value) -> list[Right]:
    """Return the roles in the value of `access`, whose entry is at ``place``. Raise ValueError if
    it is not a list of roles."""
    found = list[Right]()
    for where, item in items("access", value):
        try:
            found.append(_right(f"{place}.{where}", keys_of(item)))
        except ValueError as error:
            raise ValueError(f"{where}: {error}") from error
    return found


def _right(place: str, keys: dict[str, Value]) -> Right:
    if unknown := keys.keys() - {"role", "namespaces"}:
        raise ValueError(f"the key {quoted(min(unknown))} is unknown")
    role = text_of(keys, "role")
    if not is_role_name(role):
        raise ValueError(f"{quoted(role)} is not a ClusterRole's name")
    where = namespaces(keys["namespaces"]) if "namespaces" in keys else ()
    return Right(role, where, place)


def is_role_name(text: str) -> bool:
    """Return whether a role may have this name."""
    return bool(_ROLE_NAME.fullmatch(text))


def namespaces(value: Value) -> tuple[str, ...]:
    """Return the namespaces in a list, each once.

    Raises:
        ValueError: it is not a list of names. Nor is an empty list: to take it for the whole
            cluster would give more than somebody meant.
    """
    if not isinstance(value, list) or not value:
        raise ValueError("namespaces is not a list of names")
    found = tuple(dict.fromkeys(each if isinstance(each, str) else "no text" for each in value))
    for each in found:
        if not _NAMESPACE.fullmatch(each):
            raise ValueError(f"{quoted(each)} is not a namespace's name")
    return found


def of_policies(place: str, keys: dict[str, Value]) -> tuple[list[Right], list[Remark]]:
    """Return the rights of the policies of an entry at ``place``, and which have none here."""
    rights, left_out = list[Right](), list[Remark]()
    for key, name in POLICIES.items():
        for where, policy in items(f"{place}.{name}", keys.get(key)):
            try:
                rights.append(_of_policy(where, keys_of(policy)))
            except ValueError as error:
                left_out.append(Remark(where, f"{error}: write access in its place"))
    return rights, left_out


def _of_policy(place: str, keys: dict[str, Value]) -> Right:
    """Return the rights of an association with an access policy. EKS knows patterns of namespaces,
    such as ``dev-*``; a binding is in one namespace, so a policy with a pattern has none here."""
    name, scope = text_of(keys, "policyarn").rpartition("/")[2], keys_of(keys.get("accessscope"))
    if not (role := _LIKE.get(name)):
        raise ValueError(f"no ClusterRole matches {word(name[:60]) or 'this policy'}")
    is_everywhere = scope.get("type") == "cluster"
    where = () if is_everywhere else namespaces(scope.get("namespaces"))
    return Right(role, where, place)

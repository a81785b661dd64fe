# SPDX-License-Identifier: Apache-2.0

"""How EKS and the tools around it write down who may log in, put into this charm's words. Pure.

Access entries as ``aws eks describe-access-entry`` and ``list-access-entries`` print them, as
eksctl's ``accessConfig`` and the Terraform module terraform-aws-eks write them, with their access
policies; and ``sso`` of aws-iam-authenticator and EKS Anywhere. All keys are those of
`yaml_text.keys_of`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

from access.declaration import roles
from access.declaration.yaml_text import Value, items, keys_of, text_of
from access.mapping import Right
from text import quoted, word

_WORDS = {
    "principalarn": "arn",
    "kubernetesusername": "username",
    "kubernetesgroups": "groups",
}
# What an access entry has beside these, and what a login does not depend on.
_DESCRIPTION = {
    *("accessentryarn", "clustername", "createdat", "id", "modifiedat", "region", "tags"),
    *("tagsall", "timeouts", "type"),
}
# Where an entry has its access policies. `formats` puts those of the last kind there.
ASSOCIATED = "associatedaccesspolicies"
_POLICIES = {
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
# Keys of a document that has access entries or their policies.
_ENTRY, _ENTRIES, _CONFIG = "accessentry", "accessentries", "accessconfig"
KEYS = {_ENTRY, _ENTRIES, _CONFIG, ASSOCIATED}
_CREATOR = "bootstrapclustercreatoradminpermissions"
NO_ACCOUNTS = "a whole account cannot be mapped, map its roles and users"
_NODES = "nodes do not log in with IAM here"
# How nodes of EKS are mapped.
_NODE_GROUPS = {"system:nodes", "system:bootstrappers", "system:node-proxier"}
_NODE_USERS = ("system:node:", "{{EC2PrivateDNSName}}")


@dataclasses.dataclass(frozen=True)
class Remark:
    """What is wrong with a part of the option, or why that has no effect here. The place is empty
    where it is about the whole option."""

    place: str
    reason: str

    def __str__(self) -> str:
        return f"{self.place}: {self.reason}" if self.place else self.reason


class Meaningless(Exception):
    """An entry that is good elsewhere has no meaning here. The text is the reason."""


def access_entries(keys: dict[str, Value]) -> Iterator[tuple[str, Value]]:
    """Yield the place of each access entry of a document, and the unchecked entry. Raise
    ValueError if what should hold entries is neither a list nor a map."""
    if _ENTRY in keys:
        # Each is in a document of its own, of which the operator has many.
        principal = text_of(keys_of(keys[_ENTRY]), "principalarn")
        yield f"accessEntry of {word(principal)}" if principal else "accessEntry", keys[_ENTRY]
    yield from items("accessEntries", keys.get(_ENTRIES))
    yield from items("accessConfig.accessEntries", keys_of(keys.get(_CONFIG)).get(_ENTRIES))


def without_meaning(keys: dict[str, Value]) -> Iterator[Remark]:
    """Yield the parts of a document that have no effect here, and what to do about each."""
    if keys_of(keys.get(_CONFIG)).get(_CREATOR) not in (None, "false", False):
        yield Remark(
            "accessConfig.bootstrapClusterCreatorAdminPermissions",
            "who created the cluster is in no list, map them",
        )


def in_words(keys: dict[str, Value], partition: str) -> dict[str, Value]:
    """Return what the keys of an entry mean in this ``partition``, but for its access policies.
    Keys of no tool stay as they are.

    Raises:
        Meaningless: the entry is not for people.
        ValueError: a value is not of its kind, or two keys mean the same.
    """
    if "sso" in keys:
        keys = _of_sso(keys, partition)
    if "principalarn" in keys:
        kind = text_of(keys, "type")
        if kind and kind.lower() != "standard":
            raise Meaningless(f"{_NODES} (type {word(kind[:40])})")
        known = keys.keys() - _DESCRIPTION - _POLICIES.keys()
        words = {_WORDS.get(key, key): keys[key] for key in keys if key in known}
        if len(words) < len(known):
            raise ValueError("two keys name the same")
        keys = words
    _refuse_meaningless(keys)
    return keys


def _refuse_meaningless(keys: dict[str, Value]) -> None:
    if "servicename" in keys:
        raise Meaningless("a service of EKS does not log in here")
    if keys.keys() == {"account"}:
        raise Meaningless(NO_ACCOUNTS)
    username, groups = keys.get("username"), keys.get("groups")
    is_node = isinstance(username, str) and any(mark in username for mark in _NODE_USERS)
    if is_node or (isinstance(groups, list) and any(name in groups for name in _NODE_GROUPS)):
        raise Meaningless(_NODES)


def _of_sso(keys: dict[str, Value], partition: str) -> dict[str, Value]:
    found = keys_of(keys["sso"])
    # Outside of partition aws, the authenticator's own files have to name it.
    its = text_of(found, "partition") or partition
    if found.keys() - {"partition"} != {"permissionsetname", "accountid"}:
        raise ValueError("sso has not exactly permissionSetName and accountID, or partition")
    if its != partition:
        raise ValueError(
            f"sso has the partition {quoted(its)}, and the option partition is {partition}"
        )
    if not keys.keys().isdisjoint({"permission-set", "account"}):
        raise ValueError("two keys name the same")
    others = {key: value for key, value in keys.items() if key != "sso"}
    words = {"permission-set": found["permissionsetname"], "account": found["accountid"]}
    return {**others, **words}


def policies(place: str, keys: dict[str, Value]) -> tuple[list[Right], list[Remark]]:
    """Return the rights of the policies of an entry at ``place``, and which have none here."""
    rights, left_out = list[Right](), list[Remark]()
    for key, name in _POLICIES.items():
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
    where = () if is_everywhere else roles.namespaces(scope.get("namespaces"))
    return Right(role, where, place)

# SPDX-License-Identifier: Apache-2.0

"""One entry of the option `mappings`: from its keys to the mapping that it declares. Pure."""

from __future__ import annotations

import dataclasses
import functools
from datetime import datetime

import times
from access import arn, subjects
from access.declaration import rights
from access.declaration.formats import NO_ACCOUNTS, Row
from access.declaration.rights import Remark
from access.declaration.yaml_text import Value, items, keys_of, text_of
from access.mapping import Right, name_of
from access.permission_sets import PermissionSet
from text import quoted, word

ARNS = ("arn", "rolearn", "userarn")
_KEYS = {
    *(*ARNS, "permission-set", "account", "suffix"),
    *("username", "groups", "access", "expires"),
}
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
_NODES = "nodes do not log in with IAM here"
# How nodes of EKS are mapped.
_NODE_GROUPS = {"system:nodes", "system:bootstrappers", "system:node-proxier"}
_NODE_USERS = ("system:node:", "{{EC2PrivateDNSName}}")
# With the first, eksctl refuses a second mapping of an ARN. The charm always does.
_IGNORED = {"noduplicatearns", "userid"}


class Meaningless(Exception):
    """An entry that is good elsewhere has no meaning here. The text is the reason."""


@dataclasses.dataclass(frozen=True)
class Entry:
    """A mapping that the option declares."""

    arn: str  # The principal, without a role's path; empty where only a login tells a set's role.
    principal: str  # The canonical form of ``arn``.
    # The Kubernetes user. It is empty for a permission set whose entry has none: the default
    # contains the role's name, which may be unknown yet.
    username: str
    groups: tuple[str, ...]
    expires: str  # When its access ends, in RFC 3339 and UTC; or empty.
    permission_set: PermissionSet | None
    place: str  # Where the option has it, such as ``mapRoles[0]``.
    rights: tuple[Right, ...] = ()  # The roles that come with its mapping.
    wins: bool = False  # Whether it counts whatever a row of aws-auth says, as on EKS.

    @functools.cached_property
    def name(self) -> str:
        """Return the name of its IAMIdentityMapping, which is always the same for its principal,
        and no other principal's; empty without a principal."""
        return name_of(self.principal) if self.principal else ""

    @property
    def key(self) -> str:
        """Return what no entry of another principal has."""
        return self.principal or set_key(self.permission_set)

    def has_ended(self, now: datetime) -> bool:
        """Return whether its access is over at ``now``."""
        return bool(self.expires) and times.parse(self.expires) <= now

    @property
    def learns(self) -> bool:
        """Return whether only a login tells the role of its permission set."""
        return bool(self.permission_set) and not self.permission_set.suffix


def set_key(permission_set: PermissionSet | None) -> str:
    """Return what a permission set has in common with its roles: its name and its account."""
    return f"{permission_set}".lower()


def read(row: Row, partition: str) -> tuple[Entry, list[Remark]]:
    """Return an entry, and its parts without an effect here. ``partition`` is the authenticator's.

    Raises:
        Meaningless: it has no meaning here.
        ValueError: a key is unknown, or has a wrong value.
    """
    place, given = row.place, keys_of(row.value)
    if not given:
        raise ValueError("it is not a map with arn, username and groups")
    keys = _in_words(given, partition)
    if unknown := keys.keys() - _KEYS - _IGNORED:
        raise ValueError(f"the key {quoted(min(unknown))} is unknown")
    permission_set, spelt, principal, path = _principal(keys, partition)
    username, groups = text_of(keys, "username"), _groups(keys.get("groups"))
    subjects.check(username, groups)
    expires = text_of(keys, "expires")
    like, left_out = rights.of_policies(place, given)
    entry = Entry(
        arn=spelt,
        principal=principal,
        username=username or (default_username(spelt) if spelt else ""),
        groups=groups,
        expires=times.shown(times.parse(expires)) if expires else "",
        permission_set=permission_set,
        place=place,
        rights=(*rights.of_access(place, keys.get("access")), *like),
        wins=row.wins,
    )
    if "userid" in keys:
        left_out.append(Remark(f"{place}.userid", "logins are looked up by ARN"))
    if path:
        left_out.append(Remark(place, f"the path {path} of the role, which no login has"))
    return entry, left_out


def _in_words(keys: dict[str, Value], partition: str) -> dict[str, Value]:
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
        known = keys.keys() - _DESCRIPTION - rights.POLICIES.keys()
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


def _principal(
    keys: dict[str, Value], partition: str
) -> tuple[PermissionSet | None, str, str, str]:
    """Return the permission set, if one is named; and the ARN, its canonical form, and the path
    that it had, as far as they are known."""
    arns = [text for key in ARNS if (text := text_of(keys, key))]
    name, account, suffix = (text_of(keys, key) for key in ("permission-set", "account", "suffix"))
    if len(arns) > 1:
        raise ValueError("it has more than one ARN")
    if name and arns:
        raise ValueError("it has an arn and a permission-set, keep one of them")
    if name:
        if not account:
            raise ValueError("permission-set needs account")
        found = PermissionSet(name, account, suffix)
        role = found.role_arn(partition) if suffix else ""
        return found, role, arn.canonical_or_empty(role), ""
    if account or suffix:
        raise ValueError("account and suffix go with permission-set")
    if not arns:
        raise ValueError("it has neither arn nor permission-set")
    return None, *arn.given(arns[0], partition)


def _groups(value: Value) -> tuple[str, ...]:
    found = [each for _, each in items("groups", value)]
    groups = tuple(each for each in found if each and isinstance(each, str))
    if isinstance(value, dict) or len(groups) < len(found):
        raise ValueError("groups is not a list of names")
    return groups


def default_username(principal: str) -> str:
    """Return the username that EKS gives ``principal``, an ARN, where none is declared."""
    _, partition, _, _, account, resource = principal.split(":", 5)
    kind, _, name = resource.partition("/")
    if kind.lower() != "role":
        return principal
    return f"arn:{partition.lower()}:sts::{account}:assumed-role/{name}/{{{{SessionName}}}}"

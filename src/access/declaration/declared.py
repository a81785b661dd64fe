# SPDX-License-Identifier: Apache-2.0

"""The option `mappings`: who may log in, as its operator declares it. Pure."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Sequence
from datetime import datetime

import times
from access import arn, partitions, permission_sets, reserved
from access.declaration import accounts, eks, formats, names, rights, yaml_text
from access.declaration.formats import LeftOut, Listed
from access.declaration.yaml_text import Value
from access.permission_sets import PermissionSet, of_spelling
from access.rights import Right
from text import quoted

_ARNS = ("arn", "rolearn", "userarn")
_KEYS = {
    *(*_ARNS, "permission-set", "account", "suffix"),
    *("name", "username", "groups", "access", "expires"),
}
# With this key, eksctl refuses a second mapping of an ARN. The charm always does.
_IGNORED = {"noduplicatearns"}
# How nodes of EKS are mapped.
_NODE_GROUPS = {"system:nodes", "system:bootstrappers", "system:node-proxier"}
_NODE_USERS = ("system:node:", "{{EC2PrivateDNSName}}")
# The CRD's limit for an ARN.
_MAX_ARN = 2048
# By an alias of YAML, all entries may share one long list.
_MAX_GROUPS = 1000
# The same goes for roles, and each hook looks at all of them.
MOST_BINDINGS = 50_000


@dataclasses.dataclass(frozen=True)
class Entry:
    """A mapping that the option declares.

    Attributes:
        name: The name of its IAMIdentityMapping.
        arn: The principal, without a role's path; empty for a permission set.
        principal: The canonical form of ``arn``.
        username: The Kubernetes user. It is empty for a permission set whose entry has none: the
            default contains the role's name, which may be unknown yet.
        expires: When its access ends, in RFC 3339 and UTC; or empty.
        place: Where the option has it, such as ``mapRoles[0]``.
        rights: The roles that come with its mapping.
    """

    name: str
    arn: str
    principal: str
    username: str
    groups: tuple[str, ...]
    expires: str
    permission_set: PermissionSet | None
    place: str
    rights: tuple[Right, ...] = ()

    @property
    def learns(self) -> bool:
        """Return whether only a refused login tells the role of its permission set."""
        return bool(self.permission_set) and not self.permission_set.suffix


@dataclasses.dataclass(frozen=True)
class Declared:
    """What the option declares.

    Attributes:
        left_out: Its parts that have no effect here.
        error: What is wrong with the option. Then nobody knows what it declares.
    """

    entries: tuple[Entry, ...] = ()
    left_out: tuple[LeftOut, ...] = ()
    error: str = ""

    @property
    def known(self) -> Sequence[Entry] | None:
        """Return the entries; None if something is wrong with the option."""
        return None if self.error else self.entries

    @property
    def learns(self) -> bool:
        """Return whether a permission set is declared without its suffix."""
        return any(entry.learns for entry in self.entries)


def parse(text: str, now: datetime, partition: str = partitions.DEFAULT) -> Declared:
    """Return what the text of the option declares, without entries that have ended at ``now``.

    ``partition`` is that of roles that an entry names without an ARN.

    Raises:
        ValueError: an entry is wrong; the text is one line with its place and the reason.
    """
    listed, left_out = formats.read(text)
    entries: list[Entry] = []
    bindings = 0
    for each in listed:
        said = _translated(each)
        keys = said.keys
        if reason := said.unused or _meaningless(keys):
            left_out.append(LeftOut(each.place, reason))
            continue
        if keys.get("accounts") == []:
            left_out.append(LeftOut(f"{each.place}.accounts", "it is empty, so it maps nobody"))
        for place, own in accounts.expand(each.place, keys, partition, len(entries)):
            entry, without = _entry(place, own, said.access)
            if entry.expires and times.parse(entry.expires) <= now:
                left_out.append(LeftOut(place, f"its access ended at {entry.expires}"))
                continue
            bindings += sum(len(right.places) for right in entry.rights)
            if bindings > MOST_BINDINGS:
                raise ValueError(f"{place}.access is one more than {MOST_BINDINGS:,} bindings")
            entries.append(entry)
            left_out += without
    _check_unique(entries)
    return Declared(tuple(entries), tuple(left_out))


def default_username(principal: str) -> str:
    """Return the username that EKS gives ``principal``, an ARN, where none is declared."""
    _, partition, _, _, account, resource = principal.split(":", 5)
    kind, _, name = resource.partition("/")
    if kind.lower() != "role":
        return principal
    return f"arn:{partition.lower()}:sts::{account}:assumed-role/{name}/{{{{SessionName}}}}"


def _keys(each: Listed) -> dict[str, Value]:
    if isinstance(each.value, dict):
        return yaml_text.lowered(each.place, each.value)
    raise ValueError(f"{each.place} is not a map with arn, username and groups")


def _translated(each: Listed) -> eks.Translated:
    keys = _keys(each)
    try:
        return eks.translated(keys)
    except ValueError as error:
        raise ValueError(f"{each.place}: {error}") from error


def _meaningless(keys: dict[str, Value]) -> str | None:
    """Return why an entry that is good on EKS has no meaning here; None if it has one."""
    if "servicename" in keys:
        return "a service of EKS does not log in here"
    if keys.keys() == {"account"}:
        return formats.NO_ACCOUNTS
    username, groups = keys.get("username"), keys.get("groups")
    is_node = isinstance(username, str) and any(mark in username for mark in _NODE_USERS)
    if is_node or (isinstance(groups, list) and any(name in groups for name in _NODE_GROUPS)):
        return eks.NODES
    return None


def _entry(
    place: str, keys: dict[str, Value], of_policies: rights.Parsed
) -> tuple[Entry, list[LeftOut]]:
    unknown = keys.keys() - _KEYS - _IGNORED - {"userid"}
    if unknown:
        raise ValueError(f"{place}: the key {quoted(min(unknown))} is unknown")
    left_out = (
        [LeftOut(f"{place}.userid", "logins are looked up by ARN")] if "userid" in keys else []
    )
    try:
        permission_set, spelt, principal, path = _principal(keys)
        username, groups = _text(keys, "username"), _groups(keys.get("groups"))
        reserved.check(username, groups)
        access = rights.together((rights.parse(keys.get("access")), of_policies))
        _check_room(access, groups)
        if spelt and not username:
            username = default_username(spelt)
        expires = _text(keys, "expires")
        entry = Entry(
            name=names.checked(_text(keys, "name")) or names.default(permission_set, principal),
            arn=spelt,
            principal=principal,
            username=username,
            groups=groups,
            expires=times.shown(times.parse(expires)) if expires else "",
            permission_set=permission_set,
            place=place,
            rights=tuple(
                dataclasses.replace(each, place=f"{place}.{each.place}") for each in access.rights
            ),
        )
    except ValueError as error:
        raise ValueError(f"{place}: {error}") from error
    left_out += [LeftOut(f"{place}.{part}", why) for part, why in access.left_out]
    if path:
        left_out.append(LeftOut(place, f"the path {path} of the role, which no login has"))
    return entry, left_out


def _principal(keys: dict[str, Value]) -> tuple[PermissionSet | None, str, str, str]:
    """Return the permission set, or the ARN, its canonical form, and the path that it had."""
    arns = [text for key in _ARNS if (text := _text(keys, key))]
    name, account, suffix = (_text(keys, key) for key in ("permission-set", "account", "suffix"))
    if len(arns) > 1:
        raise ValueError("it has more than one ARN")
    if name and arns:
        raise ValueError("it has an arn and a permission-set, keep one of them")
    if name:
        return permission_sets.read(name, account, suffix), "", "", ""
    if account or suffix:
        raise ValueError("account and suffix go with permission-set")
    if not arns:
        raise ValueError("it has neither arn nor permission-set")
    return None, *_without_path(arns[0])


def _without_path(text: str) -> tuple[str, str, str]:
    """Return an ARN as logins have it, its canonical form, and a role's path, which they lack.

    Raises:
        ValueError: no login has the ARN.
    """
    if len(text) > _MAX_ARN:
        raise ValueError(f"{quoted(text)} is too long for an ARN")
    canonical = arn.canonicalize(text)
    principal = arn.parse(canonical)
    role = dataclasses.replace(principal, name=principal.name.rpartition("/")[2])
    if text.lower() != canonical:
        raise ValueError(f"{quoted(text)} names one session, declare {role}")
    if principal.kind != "role":
        return text, canonical, ""
    head, _, name = text.rpartition("/")
    start = head.lower().index(":role") + len(":role")
    path = f"{head[start:]}/" if head[start:] else ""
    return f"{head[:start]}/{name}", str(role), path


def _text(keys: dict[str, Value], key: str) -> str:
    value = keys.get(key)
    if value is None or isinstance(value, str):
        return value or ""
    raise ValueError(f"{key} is not a text")


def _groups(value: Value) -> tuple[str, ...]:
    if value is None:
        return ()
    if isinstance(value, list):
        if len(value) > _MAX_GROUPS:
            raise ValueError(f"groups has more than {_MAX_GROUPS:,} names")
        groups = tuple(group for group in value if group and isinstance(group, str))
        if len(groups) == len(value):
            return groups
        raise ValueError("groups has something in it that is not a name")
    raise ValueError("groups is not a list")


def _check_room(access: rights.Parsed, groups: Collection[str]) -> None:
    if access.rights and len(groups) == _MAX_GROUPS:
        raise ValueError(f"groups has {_MAX_GROUPS:,} names, and access needs one more")


def _check_unique(entries: Sequence[Entry]) -> None:
    """Raise ValueError if two entries have the same principal or the same name."""
    principals: dict[str, Entry] = {}
    names: dict[str, Entry] = {}
    for entry in entries:
        principal = str(entry.permission_set or entry.principal)
        if (other := principals.setdefault(principal, entry)) is not entry:
            raise ValueError(f"{entry.place} has the same principal as {other.place}")
        if (other := names.setdefault(entry.name, entry)) is not entry:
            raise ValueError(f"{entry.place} has the same name as {other.place}: {entry.name}")
    _check_roles(entries)


def _check_roles(entries: Sequence[Entry]) -> None:
    """Raise ValueError if an entry has the ARN of a permission set's role: which of the two counts
    would depend on when the role is learned."""
    sets = {
        (each.permission_set.name.lower(), each.permission_set.account): each
        for each in entries
        if each.permission_set
    }
    for entry in entries if sets else ():
        if not (role := of_spelling(entry.arn)):
            continue
        other = sets.get((role.name, role.account))
        declared = other and other.permission_set
        if other and declared and declared.suffix in ("", role.suffix):
            raise ValueError(f"{entry.place} has the same principal as {other.place}")

# SPDX-License-Identifier: Apache-2.0

"""The option `mappings`: who may log in, as its operator declares it. Pure."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime

import times
from access import arn, partitions, permission_sets, subjects
from access.declaration import formats, rights, yaml_text
from access.declaration.formats import LeftOut, Listed
from access.declaration.yaml_text import Value, text_of
from access.mapping import IdentityMapping, name_for
from access.permission_sets import PermissionSet, of_spelling
from access.rights import Right
from text import quoted

_ARNS = ("arn", "rolearn", "userarn")
_ACCOUNT = re.compile(r"[0-9]{12}")
_OBJECT_NAME = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*")
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
# The same goes for roles and for accounts, and each hook looks at all of them.
MOST_BINDINGS = 50_000
# How many parts without an effect are told.
MOST_LEFT_OUT = 1_000


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
class Wrong:
    """An entry with a fault. Nobody gets access by it, and whoever has access by it keeps that.

    Attributes:
        name: The name of its mapping, as far as it is known.
        principal: The canonical form of its ARN, as far as it is known.
    """

    place: str
    reason: str
    name: str = ""
    principal: str = ""


@dataclasses.dataclass(frozen=True)
class Declared:
    """What the option declares.

    Attributes:
        left_out: Its parts that have no effect here.
        wrong: Its entries with a fault.
        error: Why the option cannot be read. Then nobody knows what it declares.
    """

    entries: tuple[Entry, ...] = ()
    left_out: tuple[LeftOut, ...] = ()
    wrong: tuple[Wrong, ...] = ()
    error: str = ""

    def kept(self, found: Iterable[IdentityMapping]) -> frozenset[str]:
        """Return the names of mappings ``found`` that an entry with a fault may have made.

        Where neither name nor principal can be read, it may have made any of them.
        """
        names = {each.name for each in self.wrong}
        principals = {each.principal for each in self.wrong} - {""}
        of_any = any(not (each.name or each.principal) for each in self.wrong)
        return frozenset(
            mapping.name
            for mapping in found
            if of_any or mapping.name in names or mapping.principal in principals
        )

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

    ``partition`` is that of roles that an entry names without an ARN. An entry with a fault is
    left out, and the others count.

    Raises:
        ValueError: the text cannot be read, or means too much; one line says why.
    """
    listed, found_left_out = formats.read(text)
    left_out, wrong = list(found_left_out), list[Wrong]()
    candidates: list[tuple[bool, Entry]] = []
    count = bindings = 0
    for each in listed:
        keys: dict[str, Value] = {}
        try:
            keys = _keys(each)
            said = formats.translated(keys)
            keys = said.keys
            access = rights.together((rights.parse(keys.get("access")), said.access))
            fault = ""
        except ValueError as error:
            said, access, fault = formats.Translated(keys), rights.NOTHING, str(error)
        if reason := said.unused or _meaningless(keys):
            left_out.append(LeftOut(each.place, reason))
            continue
        if keys.get("accounts") == []:
            left_out.append(LeftOut(f"{each.place}.accounts", "it is empty, so it maps nobody"))
        left_out += [LeftOut(f"{each.place}.{part}", why) for part, why in access.left_out]
        for place, own, problem in _expand(each.place, keys, partition, count):
            count += 1
            if problem or fault:
                wrong.append(_wrong(place, own, problem or fault))
                continue
            try:
                entry, without = _entry(place, own, access)
            except ValueError as error:
                wrong.append(_wrong(place, own, str(error)))
                continue
            if entry.expires and times.parse(entry.expires) <= now:
                left_out.append(LeftOut(place, f"its access ended at {entry.expires}"))
                continue
            bindings += sum(len(right.places) for right in entry.rights)
            if bindings > MOST_BINDINGS:
                raise ValueError(f"{place}.access exceeds {MOST_BINDINGS:,} bindings")
            candidates.append((each.wins, entry))
            left_out += without
    entries, twice, same_name = _unique(candidates)
    wrong += same_name
    return Declared(tuple(entries), _bounded([*left_out, *twice]), tuple(wrong))


def _bounded(left_out: list[LeftOut]) -> tuple[LeftOut, ...]:
    if len(left_out) <= MOST_LEFT_OUT:
        return tuple(left_out)
    more = LeftOut("the option", f"{len(left_out) - MOST_LEFT_OUT:,} more parts are left out")
    return (*left_out[:MOST_LEFT_OUT], more)


def default_username(principal: str) -> str:
    """Return the username that EKS gives ``principal``, an ARN, where none is declared."""
    _, partition, _, _, account, resource = principal.split(":", 5)
    kind, _, name = resource.partition("/")
    if kind.lower() != "role":
        return principal
    return f"arn:{partition.lower()}:sts::{account}:assumed-role/{name}/{{{{SessionName}}}}"


def _keys(each: Listed) -> dict[str, Value]:
    if isinstance(each.value, dict):
        return yaml_text.lowered("the entry", each.value)
    raise ValueError("it is not a map with arn, username and groups")


def _wrong(place: str, keys: dict[str, Value], reason: str) -> Wrong:
    """Return an entry with a fault, and what can be read of its mapping."""
    try:
        permission_set, _, principal, _ = _principal(keys)
    except ValueError:
        permission_set, principal = None, ""
    try:
        name = _name(keys)
    except ValueError:
        return Wrong(place, reason, principal=principal)
    if not name and (permission_set or principal):
        name = _default_name(permission_set, principal)
    return Wrong(place, reason, name, principal)


def _meaningless(keys: dict[str, Value]) -> str | None:
    """Return why an entry that is good on EKS has no meaning here; None if it has one."""
    if "servicename" in keys:
        return "a service of EKS does not log in here"
    if keys.keys() == {"account"}:
        return formats.NO_ACCOUNTS
    username, groups = keys.get("username"), keys.get("groups")
    is_node = isinstance(username, str) and any(mark in username for mark in _NODE_USERS)
    if is_node or (isinstance(groups, list) and any(name in groups for name in _NODE_GROUPS)):
        return formats.NODES
    return None


def _entry(
    place: str, keys: dict[str, Value], access: rights.Parsed
) -> tuple[Entry, list[LeftOut]]:
    """Return an entry with the rights of ``access``, and its parts without an effect.

    Raises:
        ValueError: a key is unknown, or has a wrong value.
    """
    unknown = keys.keys() - _KEYS - _IGNORED - {"userid"}
    if unknown:
        raise ValueError(f"the key {quoted(min(unknown))} is unknown")
    permission_set, spelt, principal, path = _principal(keys)
    username, groups = text_of(keys, "username"), _groups(keys.get("groups"))
    subjects.check(username, groups)
    if access.rights and len(groups) == _MAX_GROUPS:
        raise ValueError(f"groups has {_MAX_GROUPS:,} names, and access needs one more")
    if spelt and not username:
        username = default_username(spelt)
    expires = text_of(keys, "expires")
    entry = Entry(
        name=_name(keys) or _default_name(permission_set, principal),
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
    left_out = (
        [LeftOut(f"{place}.userid", "logins are looked up by ARN")] if "userid" in keys else []
    )
    if path:
        left_out.append(LeftOut(place, f"the path {path} of the role, which no login has"))
    return entry, left_out


def _principal(keys: dict[str, Value]) -> tuple[PermissionSet | None, str, str, str]:
    """Return the permission set, or the ARN, its canonical form, and the path that it had."""
    arns = [text for key in _ARNS if (text := text_of(keys, key))]
    name, account, suffix = (text_of(keys, key) for key in ("permission-set", "account", "suffix"))
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


def is_object_name(text: str) -> bool:
    """Return whether a Kubernetes object may have this name: a DNS subdomain of RFC 1123."""
    return len(text) <= 253 and bool(_OBJECT_NAME.fullmatch(text))


def _name(keys: dict[str, Value]) -> str:
    """Return the name that an entry gives. Raise ValueError if no object may have it."""
    text = text_of(keys, "name")
    if text and not is_object_name(text):
        raise ValueError(
            f"name {quoted(text)} must have small letters, digits, '-' and '.' only, with a "
            "letter or digit at both ends"
        )
    return text


def _default_name(permission_set: PermissionSet | None, principal: str) -> str:
    """Return a name that is always the same for a principal, and no other principal's."""
    if permission_set:
        return name_for(str(permission_set), str(permission_set))
    return name_for(principal, arn.parse(principal).name.rpartition("/")[2] or "root")


def _expand(
    place: str, keys: dict[str, Value], partition: str, before: int
) -> Iterator[tuple[str, dict[str, Value], str]]:
    """Yield the place and the keys of an entry for each account, with an ARN for a role, and what
    is wrong with the account.

    An entry with neither a role's name nor a list of accounts stays as it is. A name gets the
    account behind it if there is a list, even of one, so that a mapping keeps its name when the
    list grows. ``before`` is how many entries there are before this one.

    Raises:
        ValueError: there are too many.
    """
    if "role" not in keys and "accounts" not in keys:
        yield place, keys, ""
        return
    if problem := _misfit(keys):
        yield place, {}, problem
        return
    for number, (where, account) in enumerate(_accounts(place, keys), before):
        if number >= MOST_BINDINGS:
            raise ValueError(f"{where} exceeds {MOST_BINDINGS:,} mappings")
        if not isinstance(account, str) or not _ACCOUNT.fullmatch(account):
            shown = quoted(account) if isinstance(account, str) else "it"
            yield where, {}, f"{shown} is not an account of 12 digits"
        else:
            yield where, _in_account(keys, account, partition), ""


def _in_account(keys: dict[str, Value], account: str, partition: str) -> dict[str, Value]:
    own = {key: value for key, value in keys.items() if key not in ("role", "accounts", "account")}
    if isinstance(role := keys.get("role"), str):
        own["arn"] = f"arn:{partition}:iam::{account}:role/{role}"
    else:
        own["account"] = account
    if "accounts" in keys and isinstance(name := keys.get("name"), str) and name:
        own["name"] = f"{name}-{account}"
    return own


def _accounts(place: str, keys: dict[str, Value]) -> Iterator[tuple[str, Value]]:
    listed = keys.get("accounts")
    if isinstance(listed, list):
        yield from ((f"{place}.accounts[{number}]", each) for number, each in enumerate(listed))
    else:
        yield place, keys.get("account")


def _misfit(keys: dict[str, Value]) -> str:
    """Return why the keys about roles and accounts do not go together; empty if they do."""
    if "role" in keys:
        if problem := _misfit_of_role(keys):
            return problem
    elif "permission-set" not in keys:
        return "accounts goes with role or permission-set"
    if "accounts" not in keys:
        return ""
    if "account" in keys:
        return "it has account and accounts, keep one of them"
    if "suffix" in keys:
        return "suffix goes with account, each account has its own"
    return "" if isinstance(keys["accounts"], list) else "accounts is not a list"


def _misfit_of_role(keys: dict[str, Value]) -> str:
    if not keys.keys().isdisjoint(_ARNS):
        return "it has an arn and a role, keep one of them"
    if "permission-set" in keys:
        return "it has a role and a permission-set, keep one of them"
    if "suffix" in keys:
        return "suffix goes with permission-set"
    if "account" not in keys and "accounts" not in keys:
        return "role needs account or accounts"
    if not isinstance(role := keys["role"], str):
        return "role is not a text"
    if ":" in role:
        return "role is an ARN, write arn in place of role"
    if "/" in role:
        return f"role {quoted(role)} has a path, write {quoted(role.rpartition('/')[2])}"
    return ""


def _unique(
    candidates: Sequence[tuple[bool, Entry]],
) -> tuple[list[Entry], list[LeftOut], list[Wrong]]:
    """Return the entries that count, those whose principal has another, and those whose name has.

    As on EKS, an access entry counts whatever a row of aws-auth says, and otherwise the last one.
    """
    chosen: dict[str, Entry] = {}
    for _, entry in sorted(candidates, key=lambda candidate: candidate[0]):
        chosen[str(entry.permission_set or entry.principal)] = entry
    counts = {entry.place: entry for entry in chosen.values()}
    sets = {
        (each.permission_set.name.lower(), each.permission_set.account): each
        for each in counts.values()
        if each.permission_set
    }
    entries = dict[str, Entry]()
    twice, wrong = list[LeftOut](), list[Wrong]()
    for _, entry in candidates:
        place, principal = entry.place, str(entry.permission_set or entry.principal)
        if place not in counts:
            other = chosen[principal].place
            twice.append(LeftOut(place, f"{other} has the same principal, and counts"))
        elif other := _set_of(entry, sets):
            reason = f"it has the same principal as {other.place}"
            wrong.append(Wrong(place, reason, entry.name, entry.principal))
        elif other := entries.get(entry.name):
            reason = f"it has the same name as {other.place}: {entry.name}"
            wrong.append(Wrong(place, reason, entry.name, entry.principal))
        else:
            entries[entry.name] = entry
    return list(entries.values()), twice, wrong


def _set_of(entry: Entry, sets: Mapping[tuple[str, str], Entry]) -> Entry | None:
    """Return the entry of the permission set whose role ``entry`` names by its ARN: which of the
    two counts would depend on when the role is learned."""
    role = of_spelling(entry.arn) if sets else None
    other = sets.get((role.name, role.account)) if role else None
    if not role or not other or not other.permission_set:
        return None
    return other if other.permission_set.suffix in ("", role.suffix) else None

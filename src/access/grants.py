# SPDX-License-Identifier: Apache-2.0

"""Access that an operator grants by an action, and revokes. Pure."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import times
from access import arn, expiry, partitions, permission_sets, subjects
from access.declaration import roles
from access.declaration.declared import Declared
from access.declaration.entry import Entry, is_object_name, lowered, marks
from access.desired import Access
from access.mapping import IdentityMapping, name_for
from access.permission_sets import PermissionSet, of_spelling
from access.rights import CLUSTER_ROLE, Right, bindings, is_whole
from errors import Blocked
from labels import EXPIRES, GRANT, OPTION
from text import quoted, word

_LONGEST_REASON = 200
_GIVE = "give either arn, or permission-set as NAME@ACCOUNT (and suffix, if known)"


@dataclasses.dataclass(frozen=True)
class Grant:
    """What an operator grants."""

    # Its name is the operator's choice, or one that the same principal always has.
    mapping: IdentityMapping
    named: bool  # Whether the name is the operator's choice.
    remark: str  # How the mapping's ARN differs from the operator's; or empty.
    rights: tuple[Right, ...] = ()  # The role that comes with the mapping, if one does.


def permission_set(params: Mapping[str, Any]) -> PermissionSet | None:
    """Return the permission set that the parameters of `grant-access` name in place of an ARN.

    Raises:
        ValueError: they name both or neither, or a part of the set is malformed.
    """
    name, suffix = params["permission-set"], params["suffix"]
    if bool(name) == bool(params["arn"]) or (suffix and not name):
        raise ValueError(_GIVE)
    if not name:
        return None
    if "@" not in name:
        raise ValueError(_GIVE)
    return permission_sets.read(name, "", suffix)


def read(params: Mapping[str, Any], text: str, partition: str, now: datetime) -> Grant:
    """Return what the parameters of `grant-access` ask for.

    ``text`` is the principal's ARN, ``partition`` the authenticator's.

    Raises:
        ValueError: a parameter is wrong, or no login has the ARN.
    """
    principal, remark = login(text, partition)
    canonical = arn.canonicalize(principal)
    name, reason = _name(params), " ".join(params["reason"].split())
    if len(reason) > _LONGEST_REASON:
        raise ValueError(f"reason is too long, give {_LONGEST_REASON} characters at most")
    if not (username := params["username"].strip()):
        raise ValueError("username is empty, give the Kubernetes user that the principal becomes")
    groups = [group.strip() for group in params["groups"].split(",")]
    subjects.check(username, groups)
    lasting = params["for"]
    mapping = IdentityMapping(
        name=name or f"grant-{name_for(canonical, canonical.rpartition('/')[2], 60, 8)}",
        arn=principal,
        username=username,
        canonical=canonical,
        groups=tuple(dict.fromkeys(filter(None, groups))),
        source=GRANT,
        expires=times.shown(now + times.duration(lasting)) if lasting else "",
        reason=reason,
    )
    return Grant(mapping, bool(name), remark, _rights(params))


def _name(params: Mapping[str, Any]) -> str:
    """Return the mapping's name that the parameters give, or the empty text. Raise ValueError if
    no mapping may have it."""
    name: str = params["name"]
    if name and not is_object_name(name):
        raise ValueError(f"name {name[:40]!r} must be small letters, digits, '-' and '.'")
    return name


def _rights(params: Mapping[str, Any]) -> tuple[Right, ...]:
    """Return the role that the parameters give, as a tuple. Raise ValueError if a parameter is
    wrong."""
    role = params["role"].strip()
    listed = [each.strip() for each in params["namespaces"].split(",") if each.strip()]
    if not role:
        if listed:
            raise ValueError("namespaces goes with role")
        return ()
    if not roles.is_role_name(role):
        raise ValueError(f"role {role[:40]!r} is not a ClusterRole's name")
    namespaces = roles.namespaces([*listed]) if listed else ()
    return (Right(role, CLUSTER_ROLE, namespaces, "role"),)


def shared_groups(mapping: IdentityMapping) -> list[str]:
    """Return the groups of ``mapping`` but for the one that it alone has."""
    return [each for each in mapping.groups if each != subjects.own_group(mapping.name)]


def wanted(found: Access, grant: Grant, former: IdentityMapping | None, now: datetime) -> Access:
    """Return the access to have: that of ``found``, with the grant's mapping and its role.

    The ``former`` grant of the principal keeps its name. Unless it has ended at ``now``, it keeps
    what ``grant`` does not say, too. Its ARN cannot change, so it stays spelt as it is.
    """
    mapping = grant.mapping
    name = former.name if former else mapping.name
    lasting = former if former and not expiry.has_ended(former, now) else None
    if grant.rights or not lasting:
        bound = [each for _, each in bindings(name, grant.rights, GRANT)]
    else:
        own = [each for each in found.bindings if each.mapping == name]
        bound = [each for each in own if each.source == GRANT and is_whole(each)]
    if former:
        mapping = dataclasses.replace(mapping, name=name, arn=former.arn)
    if lasting:
        mapping = dataclasses.replace(
            mapping,
            groups=mapping.groups or tuple(shared_groups(lasting)),
            expires=mapping.expires or lasting.expires,
        )
    if bound:
        groups = (*mapping.groups, subjects.own_group(name))
        mapping = dataclasses.replace(mapping, groups=groups)
    others = found.without({name})
    return Access((*others.mappings, mapping), (*others.bindings, *bound))


def login(text: str, partition: str) -> tuple[str, str]:
    """Return ``text`` as logins have it, and a remark if that differs from ``text``. Raise
    ValueError if no login has such an ARN."""
    if role := arn.role_of_session(text):
        raise ValueError(
            f"{quoted(text)} names one session, and a grant admits all of its role: give {role}"
        )
    changed = arn.without_path(text)
    if reason := arn.mismatch(changed):
        raise ValueError(reason)
    principal = arn.parse(arn.canonicalize(changed))
    if reason := partitions.mismatch(principal.partition, partition):
        raise ValueError(reason)
    return changed, f"no login has a role path, so it is for {changed}" if changed != text else ""


def _principal(mapping: IdentityMapping) -> str:
    """Return the canonical ARN that ``mapping`` names.

    The authenticator keeps the former one of a mapping whose ARN it refuses.
    """
    return mapping.principal or mapping.canonical


def to_replace(
    found: Sequence[IdentityMapping],
    grant: Grant,
    entries: Sequence[Entry] | None,
    application: str,
    partition: str,
) -> IdentityMapping | None:
    """Return the grant that the principal has already; None without one.

    ``entries`` are those of the option of ``application``; None if they are not known.
    ``partition`` is the authenticator's.

    Raises:
        errors.Blocked: the option or a person maps the principal, or another mapping has the name.
    """
    wanted = grant.mapping
    theirs = [mapping for mapping in found if _principal(mapping) == wanted.canonical]
    _refuse_declared([*theirs, wanted], entries, application, partition)
    if entry := next((each for each in entries or () if each.name == wanted.name), None):
        raise Blocked(
            f"the option mappings declares {entry.name} ({entry.place}): give another name"
        )
    for mapping in theirs:
        if not mapping.principal:
            raise Blocked(
                f"mapping {mapping.name} has an ARN that no login has, {quoted(mapping.arn)}; "
                f"run: juju run {application}/leader revoke-access name={mapping.name}"
            )
        if mapping.source != GRANT:
            raise Blocked(
                f"mapping {mapping.name} maps {word(mapping.arn)} already, and is not a grant: "
                "delete it, or let it end: kubectl annotate iamidentitymapping "
                f"{mapping.name} {EXPIRES}=<time>"
            )
    if theirs and grant.named and theirs[0].name != wanted.name:
        raise Blocked(f"its grant is named {theirs[0].name}: give that name, or none")
    if not theirs and (other := next((m for m in found if m.name == wanted.name), None)):
        raise Blocked(f"mapping {other.name} maps {word(other.arn)}: give another name")
    return theirs[0] if theirs else None


def shown(mapping: IdentityMapping) -> str:
    """Return a mapping in one line: whom it lets in as whom, and who made it."""
    groups = f", groups {', '.join(map(word, mapping.groups))}" if mapping.groups else ""
    source = {GRANT: "a grant", OPTION: "the option's, not declared"}.get(
        mapping.source, "a person's"
    )
    return f"{mapping.name}: {word(mapping.arn)} as {word(mapping.username)}{groups} ({source})"


@dataclasses.dataclass(frozen=True)
class Target:
    """What an operator revokes: the mapping of a name, or those of a principal."""

    name: str  # The mapping's name; empty if a principal is meant.
    # The canonical ARNs of the principal, with and without a role's path.
    principals: frozenset[str] = frozenset()


def target(params: Mapping[str, Any]) -> Target:
    """Return what the parameters of `revoke-access` ask for. Raise ValueError if a parameter is
    wrong."""
    text, name = params["arn"], _name(params)
    if bool(text) == bool(name):
        raise ValueError("give either arn or name")
    if name:
        return Target(name)
    return Target("", frozenset(map(arn.canonicalize, (text, arn.without_path(text)))))


def to_revoke(
    found: Iterable[IdentityMapping],
    target: Target,
    declared: Declared,
    application: str,
    partition: str,
) -> list[IdentityMapping]:
    """Return the mappings that name the principal, or have the name; sorted by name.

    ``declared`` is what the option of ``application`` declares. ``partition`` is the
    authenticator's.

    Raise `errors.Blocked` if the option declares one of them, or has an entry with a fault that
    means it: once that is corrected, the access would be back.
    """
    chosen = [
        mapping
        for mapping in found
        if mapping.name == target.name or _principal(mapping) in target.principals
    ]
    # By its name, a mapping beside the option's may go: the option does not bring it back.
    own = [each for each in chosen if not target.name or each.source == OPTION]
    _refuse_declared(own, declared.known, application, partition)
    for entry in declared.known or ():
        if entry.name == target.name or (entry.arn and entry.principal in target.principals):
            principal = entry.arn or str(entry.permission_set)
            raise _declared(principal, entry.place, application)
    found_marks = lowered(mark for each in own for mark in marks(each))
    for wrong in declared.wrong:
        if wrong.meant and lowered(wrong.meant.principals) & found_marks:
            raise _declared(word(own[0].arn), wrong.place, application)
    return sorted(chosen, key=lambda mapping: mapping.name)


def admitted_by_status(found: Iterable[IdentityMapping], target: Target) -> list[IdentityMapping]:
    """Return the mappings of others whose status lets the principal in, against their ARN."""
    return [
        each
        for each in found
        if each.canonical in target.principals and each.principal not in {"", *target.principals}
    ]


def _refuse_declared(
    mappings: Iterable[IdentityMapping],
    entries: Sequence[Entry] | None,
    application: str,
    partition: str,
) -> None:
    """Raise `errors.Blocked` if the option declares one of the principals.

    What the option made and no longer declares is not refused.
    """
    # There may be thousands of both.
    by_arn = {entry.principal: entry for entry in entries or () if entry.arn}
    by_set = dict[str, list[Entry]]()
    for entry in entries or ():
        if entry.permission_set:
            by_set.setdefault(str(entry.permission_set).lower(), []).append(entry)
    for mapping in mappings:
        if entries is None and mapping.source == OPTION:
            raise _declared(word(mapping.arn), f"mapping {mapping.name}", application)
        if entry := by_arn.get(_principal(mapping)) or _of_set(by_set, mapping, partition):
            raise _declared(word(mapping.arn), entry.place, application)


def _of_set(
    by_set: Mapping[str, Sequence[Entry]], mapping: IdentityMapping, partition: str
) -> Entry | None:
    """Return the entry whose permission set has the role of ``mapping``."""
    for entry in by_set.get(str(of_spelling(mapping.arn)), ()):
        if entry.permission_set and entry.permission_set.may_be(mapping.arn, partition):
            return entry
    return None


def _declared(principal: str, place: str, application: str) -> Blocked:
    return Blocked(
        f"the option mappings declares {principal} ({place}): change its entry there, then run: "
        f"juju config {application} mappings=@<file>"
    )

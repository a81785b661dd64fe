# SPDX-License-Identifier: Apache-2.0

"""Access that an operator grants by an action, and revokes. Pure."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

import times
from access import arn, partitions, subjects
from access.declaration import roles
from access.declaration.declared import Declared
from access.declaration.entry import is_object_name
from access.desired import Access
from access.mapping import IdentityMapping, name_of
from access.rights import Right, bindings
from errors import Blocked
from labels import EXPIRES, GRANT, OPTION
from text import quoted, word

_LONGEST_REASON = 200


@dataclasses.dataclass(frozen=True)
class Grant:
    """What an operator grants."""

    mapping: IdentityMapping  # Without the group of its role.
    rights: tuple[Right, ...]  # The role that comes with the mapping, if one does.
    remark: str  # How the mapping's ARN differs from the operator's; or empty.


def read(params: Mapping[str, Any], partition: str, now: datetime) -> Grant:
    """Return what the parameters of `grant-access` ask for. ``partition`` is the authenticator's.

    Raises:
        ValueError: a parameter is wrong, or no login has the ARN.
    """
    principal, remark = _login(params["arn"], partition)
    canonical, reason = arn.canonicalize(principal), " ".join(params["reason"].split())
    if len(reason) > _LONGEST_REASON:
        raise ValueError(f"reason is too long, give {_LONGEST_REASON} characters at most")
    if not (username := params["username"].strip()):
        raise ValueError("username is empty, give the Kubernetes user that the principal becomes")
    groups = _listed(params["groups"])
    subjects.check(username, groups)
    lasting = params["for"]
    mapping = IdentityMapping(
        name=name_of(canonical),
        arn=principal,
        username=username,
        canonical=canonical,
        groups=tuple(dict.fromkeys(groups)),
        source=GRANT,
        expires=times.shown(now + times.duration(lasting)) if lasting else "",
        reason=reason,
    )
    return Grant(mapping, _rights(params), remark)


def _listed(text: str) -> list[str]:
    return [each.strip() for each in text.split(",") if each.strip()]


def _rights(params: Mapping[str, Any]) -> tuple[Right, ...]:
    """Return the role that the parameters give, as a tuple. Raise ValueError if a parameter is
    wrong."""
    role, listed = params["role"].strip(), _listed(params["namespaces"])
    if not role:
        if listed:
            raise ValueError("namespaces goes with role")
        return ()
    if not roles.is_role_name(role):
        raise ValueError(f"role {role[:40]!r} is not a ClusterRole's name")
    namespaces = roles.namespaces([*listed]) if listed else ()
    return (Right(role, namespaces=namespaces, place="role"),)


def _login(text: str, partition: str) -> tuple[str, str]:
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


def former(
    found: Iterable[IdentityMapping], grant: Grant, declared: Declared, application: str
) -> IdentityMapping | None:
    """Return the grant that the principal has already; None without one.

    ``declared`` is what the option of ``application`` declares.

    Raises:
        errors.Blocked: the option or a person maps the principal.
    """
    name, principal = grant.mapping.name, grant.mapping.canonical
    there = [each for each in found if _principal(each) == principal]
    _refuse_declared({principal}, there, declared, application)
    for mapping in there:
        if (mapping.name, mapping.source) != (name, GRANT):
            raise Blocked(
                f"mapping {mapping.name} maps {word(mapping.arn)} already, and is not a grant: "
                "delete it, or let it end: kubectl annotate iamidentitymapping "
                f"{mapping.name} {EXPIRES}=<time>"
            )
    return there[0] if there else None


def wanted(found: Access, grant: Grant, former: IdentityMapping | None) -> Access:
    """Return the access to have: that of ``found``, with the grant's mapping and its role in place
    of the ``former`` grant. An ARN cannot change, so it stays spelt as it is."""
    mapping = grant.mapping
    bound = [each for _, each in bindings(mapping.name, grant.rights, GRANT)]
    groups = (*mapping.groups, *([subjects.own_group(mapping.name)] if bound else []))
    mapping = dataclasses.replace(
        mapping, arn=former.arn if former else mapping.arn, groups=groups
    )
    others = found.without({mapping.name})
    return Access((*others.mappings, mapping), (*others.bindings, *bound))


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
    text, name = params["arn"], params["name"]
    if bool(text) == bool(name):
        raise ValueError("give either arn or name")
    if not name:
        return Target("", frozenset(map(arn.canonicalize, (text, arn.without_path(text)))))
    if not is_object_name(name):
        raise ValueError(f"name {name[:40]!r} must be small letters, digits, '-' and '.'")
    return Target(name)


def to_revoke(
    found: Iterable[IdentityMapping], target: Target, declared: Declared, application: str
) -> list[IdentityMapping]:
    """Return the mappings that name the principal, or have the name; sorted by name.

    ``declared`` is what the option of ``application`` declares.

    Raise `errors.Blocked` if the option declares one of them: it would make that again.
    """
    chosen = [
        each
        for each in sorted(found, key=lambda mapping: mapping.name)
        if each.name == target.name or _principal(each) in target.principals
    ]
    # By its name, a mapping beside the option's may go: the option does not bring it back.
    own = [each for each in chosen if not target.name or each.source == OPTION]
    principals = {*target.principals, *map(_principal, own)}
    _refuse_declared(principals, own, declared, application)
    return chosen


def admitted_by_status(found: Iterable[IdentityMapping], target: Target) -> list[IdentityMapping]:
    """Return the mappings of others whose status lets the principal in, against their ARN."""
    return [
        each
        for each in found
        if each.canonical in target.principals and each.principal not in {"", *target.principals}
    ]


def _principal(mapping: IdentityMapping) -> str:
    """Return the canonical ARN that ``mapping`` names.

    The authenticator keeps the former one of a mapping whose ARN it refuses.
    """
    return mapping.principal or mapping.canonical


def _refuse_declared(
    principals: Iterable[str],
    mappings: Iterable[IdentityMapping],
    declared: Declared,
    application: str,
) -> None:
    """Raise `errors.Blocked` if the option declares one of the ``principals``. If it has a fault,
    it may declare all of ``mappings`` that it made."""
    places = {(e.arn or f"{e.permission_set}"): e.place for e in map(declared.of, principals) if e}
    if declared.faults and not places:
        own = (each for each in mappings if each.source == OPTION)
        places = {each.arn: f"mapping {each.name}" for each in own}
    for principal, place in places.items():
        raise Blocked(
            f"the option mappings declares {word(principal)} ({place}): change its entry there, "
            f"then run: juju config {application} mappings=@<file>"
        )

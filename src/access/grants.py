# SPDX-License-Identifier: Apache-2.0

"""Access that an operator grants by an action, and revokes. Pure."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

import times
from access import arn, subjects
from access.declaration import rights
from access.declaration.declared import Declared
from access.desired import Access
from access.mapping import IdentityMapping, Right, bindings_of, name_of
from errors import Blocked
from owner import EXPIRES, GRANT, OPTION
from text import word

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
    spelt, canonical, path = arn.given(params["arn"], partition)
    reason = " ".join(params["reason"].split())
    if len(reason) > _LONGEST_REASON:
        raise ValueError(f"reason is too long, give {_LONGEST_REASON} characters at most")
    if not (username := params["username"].strip()):
        raise ValueError("username is empty, give the Kubernetes user that the principal becomes")
    groups = _listed(params["groups"])
    subjects.check(username, groups)
    lasting = params["for"]
    mapping = IdentityMapping(
        name=name_of(canonical),
        arn=spelt,
        username=username,
        canonical=canonical,
        groups=tuple(dict.fromkeys(groups)),
        source=GRANT,
        expires=times.shown(now + times.duration(lasting)) if lasting else "",
        reason=reason,
    )
    remark = f"no login has a role path, so it is for {spelt}"
    return Grant(mapping, _rights(params), remark if path else "")


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
    if not rights.is_role_name(role):
        raise ValueError(f"role {role[:40]!r} is not a ClusterRole's name")
    namespaces = rights.namespaces([*listed]) if listed else ()
    return (Right(role, namespaces=namespaces, place="role"),)


def former(
    found: Iterable[IdentityMapping], grant: Grant, declared: Declared, application: str
) -> IdentityMapping | None:
    """Return the grant that the principal has already; None without one.

    ``declared`` is what the option of ``application`` declares.

    Raises:
        errors.Blocked: the option or a person maps the principal.
    """
    name, principal = grant.mapping.name, grant.mapping.canonical
    there = [each for each in found if each.principal == principal]
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
    bound = [each for _, each in bindings_of(mapping.name, grant.rights, GRANT)]
    groups = (*mapping.groups, *([subjects.own_group(mapping.name)] if bound else []))
    mapping = dataclasses.replace(
        mapping, arn=former.arn if former else mapping.arn, groups=groups
    )
    others = found.without({mapping.name})
    return Access((*others.mappings, mapping), (*others.bindings, *bound))


def to_revoke(
    found: Iterable[IdentityMapping], text: str, declared: Declared, application: str
) -> list[IdentityMapping]:
    """Return the mappings of the principal of ARN ``text``, with and without a role's path; sorted
    by name. ``declared`` is what the option of ``application`` declares.

    Raises:
        ValueError: ``text`` is not the ARN of a principal.
        errors.Blocked: the option declares the principal, so it would make its mapping again.
    """
    principals = {arn.canonicalize(each) for each in (text, arn.without_path(text))}
    chosen = [each for each in found if each.principal in principals]
    _refuse_declared(principals, chosen, declared, application)
    return sorted(chosen, key=lambda mapping: mapping.name)


def _refuse_declared(
    principals: Iterable[str],
    there: Iterable[IdentityMapping],
    declared: Declared,
    application: str,
) -> None:
    """Raise `errors.Blocked` if the option declares one of the ``principals``. With a fault, it
    may declare all that it made of the mappings ``there``."""
    places = [(e.arn or f"{e.permission_set}", e.place) for e in map(declared.of, principals) if e]
    if declared.faults:
        places += [(each.arn, f"mapping {each.name}") for each in there if each.source == OPTION]
    for principal, place in places:
        raise Blocked(
            f"the option mappings declares {word(principal)} ({place}): change its entry there, "
            f"then run: juju config {application} mappings=@<file>"
        )

# SPDX-License-Identifier: Apache-2.0

"""The key `access` of an entry: the roles that come with its mapping, and EKS' policies. Pure."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable
from typing import NamedTuple

from access.declaration import yaml_text
from access.declaration.yaml_text import Value, text_of
from access.mapping import Right
from text import quoted

# The ClusterRoles of Kubernetes that are like EKS' access policies.
# https://docs.aws.amazon.com/eks/latest/userguide/access-policy-permissions.html
_LIKE = {
    "amazoneksclusteradminpolicy": "cluster-admin",
    "amazoneksadminpolicy": "admin",
    "amazonekseditpolicy": "edit",
    "amazoneksviewpolicy": "view",
}
_KEYS = {"role", "policy", "namespaces"}
_NAMESPACE = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
# What the API server takes as the name of a role, but for letters that are not ASCII.
_ROLE_NAME = re.compile(r"(?!\.\.?$)[!-$&-.0-~]{1,253}")


@dataclasses.dataclass(frozen=True)
class Parsed:
    """What an entry says of rights."""

    rights: tuple[Right, ...] = ()
    # Why a policy gives no rights here, by its place in the entry.
    left_out: tuple[tuple[str, str], ...] = ()


def parse(value: Value) -> list[Parsed]:
    """Return what each item of the key `access` gives. Raise ValueError if it is not a list of
    roles and policies."""
    if value is None:
        return []
    if isinstance(value, list):
        return [_parse_one(f"access[{number}]", item) for number, item in enumerate(value)]
    raise ValueError("access is not a list")


def together(found: Iterable[Parsed]) -> Parsed:
    """Return all rights in one, each binding once."""
    rights = list[Right]()
    left_out = list[tuple[str, str]]()
    asked = set[tuple[str, str]]()
    for each in found:
        for right in each.rights:
            new = [place for place in right.places if (right.role, place) not in asked]
            asked.update((right.role, place) for place in new)
            if len(new) == len(right.places):
                rights.append(right)
            elif new:
                rights.append(dataclasses.replace(right, namespaces=tuple(filter(None, new))))
        left_out += each.left_out
    return Parsed(tuple(rights), tuple(left_out))


class Where(NamedTuple):
    """Where a role counts: in the namespaces, and for None in the whole cluster.

    ``left_out`` says why others are none, by their place in the entry.
    """

    namespaces: tuple[str, ...] | None
    left_out: tuple[tuple[str, str], ...] = ()


EVERYWHERE = Where(None)


def _parse_one(place: str, item: Value) -> Parsed:
    keys = yaml_text.lowered(place, item) if isinstance(item, dict) else {}
    if unknown := keys.keys() - _KEYS:
        raise ValueError(f"{place}: the key {quoted(min(unknown))} is unknown")
    role, policy = (text_of(keys, key, f"{place}: ") for key in ("role", "policy"))
    if bool(role) == bool(policy):
        raise ValueError(f"{place} has not exactly one of role and policy")
    where = EVERYWHERE
    if "namespaces" in keys:
        try:
            where = some_namespaces(place, keys["namespaces"])
        except ValueError as error:
            raise ValueError(f"{place}: {error}") from error
    if policy:
        return of_policy(place, policy, where)
    if not is_role_name(role):
        raise ValueError(f"{place}: {quoted(role)} is not a ClusterRole's name")
    return _given(place, role, where)


def _given(place: str, role: str, where: Where) -> Parsed:
    """Return a ClusterRole where it counts, and none if that is nowhere."""
    is_nowhere = where.namespaces == ()
    found = () if is_nowhere else (Right(role, where.namespaces or (), place),)
    return Parsed(found, where.left_out)


def is_role_name(text: str) -> bool:
    """Return whether a role may have this name."""
    return bool(_ROLE_NAME.fullmatch(text))


def of_policy(place: str, policy: str, where: Where = EVERYWHERE) -> Parsed:
    """Return the rights of EKS' access policy, given by its name or ARN."""
    name = policy.rpartition("/")[2]
    if role := _LIKE.get(name.lower()):
        return _given(place, role, where)
    return Parsed((), ((place, f"no ClusterRole matches {name[:60] or 'this policy'}"),))


def some_namespaces(place: str, value: Value) -> Where:
    """Return the namespaces in a list, each once, and why others are left out.

    EKS knows patterns such as ``dev-*``. A binding is in one namespace, so here they match none.

    Raises:
        ValueError: it is no list, or is empty. To take an empty list for the whole cluster would
            give more than somebody meant.
    """
    if not isinstance(value, list) or not value:
        raise ValueError("namespaces is not a list of names")
    found = dict.fromkeys(each if isinstance(each, str) else "no text" for each in value)
    good = tuple(each for each in found if _NAMESPACE.fullmatch(each))
    others = (each for each in found if not _NAMESPACE.fullmatch(each))
    why = ((f"{place}.namespaces", f"{quoted(each)} is not a namespace's name") for each in others)
    return Where(good, tuple(why))


def namespaces(value: Value) -> tuple[str, ...]:
    """Return the namespaces in a list, each once.

    Raises:
        ValueError: it is no list, is empty, or has something else in it.
    """
    found = some_namespaces("", value)
    for _, reason in found.left_out:
        raise ValueError(reason)
    return found.namespaces or ()

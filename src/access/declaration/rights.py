# SPDX-License-Identifier: Apache-2.0

"""The key `access` of an entry: the roles that come with its mapping, and EKS' policies. Pure."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable

from access.declaration import yaml_text
from access.declaration.yaml_text import Value
from access.rights import CLUSTER_ROLE, ROLE, Right
from text import quoted

# The ClusterRoles of Kubernetes that are like EKS' access policies.
# https://docs.aws.amazon.com/eks/latest/userguide/access-policy-permissions.html
_LIKE = {
    "amazoneksclusteradminpolicy": "cluster-admin",
    "amazoneksadminpolicy": "admin",
    "amazonekseditpolicy": "edit",
    "amazoneksviewpolicy": "view",
}
_KINDS = {kind.lower(): kind for kind in (CLUSTER_ROLE, ROLE)}
_KEYS = {"role", "kind", "policy", "namespaces"}
_NAMESPACE = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
# What the API server takes as the name of a role, but for letters that are not ASCII.
_ROLE_NAME = re.compile(r"(?!\.\.?$)[!-$&-.0-~]{1,253}")
# By an alias of YAML, all entries may share one long list.
_MAX_BINDINGS = 500


@dataclasses.dataclass(frozen=True)
class Parsed:
    """What an entry says of rights.

    Attributes:
        left_out: Why a policy gives no rights here, by its place in the entry.
    """

    rights: tuple[Right, ...] = ()
    left_out: tuple[tuple[str, str], ...] = ()


NOTHING = Parsed()


def parse(value: Value) -> Parsed:
    """Return what the key `access` gives.

    Raises:
        ValueError: it is not a list of roles and policies.
    """
    if value is None:
        return NOTHING
    if isinstance(value, list):
        return together(_parse_one(f"access[{number}]", item) for number, item in enumerate(value))
    raise ValueError("access is not a list")


def together(found: Iterable[Parsed]) -> Parsed:
    """Return all rights in one, each binding once.

    Raises:
        ValueError: they are too many.
    """
    rights = list[Right]()
    left_out = list[tuple[str, str]]()
    asked = set[tuple[str, str, str]]()
    for each in found:
        for right in each.rights:
            new = [place for place in right.places if (right.kind, right.role, place) not in asked]
            asked.update((right.kind, right.role, place) for place in new)
            if new:
                rights.append(dataclasses.replace(right, namespaces=tuple(filter(None, new))))
        left_out += each.left_out
        if len(asked) > _MAX_BINDINGS:
            raise ValueError(f"access asks for more than {_MAX_BINDINGS} bindings")
    return Parsed(tuple(rights), tuple(left_out))


def _parse_one(place: str, item: Value) -> Parsed:
    keys = yaml_text.lowered(place, item) if isinstance(item, dict) else {}
    if unknown := keys.keys() - _KEYS:
        raise ValueError(f"{place}: the key {quoted(min(unknown))} is unknown")
    role, policy, kind = (_text(place, keys, key) for key in ("role", "policy", "kind"))
    if bool(role) == bool(policy):
        raise ValueError(f"{place} has not exactly one of role and policy")
    namespaces = _namespaces(place, keys)
    if policy:
        if kind:
            raise ValueError(f"{place}: kind goes with role")
        return of_policy(place, policy, namespaces)
    if not is_role_name(role):
        raise ValueError(f"{place}: {quoted(role)} is not a role's name")
    kind = kind or CLUSTER_ROLE
    if not (known := _KINDS.get(kind.lower())):
        raise ValueError(f"{place}: kind is {quoted(kind)}, and not ClusterRole or Role")
    if known == ROLE and not namespaces:
        raise ValueError(f"{place}: a Role needs namespaces")
    return Parsed((Right(role, known, namespaces, place),))


def is_role_name(text: str) -> bool:
    """Return whether a role may have this name."""
    return bool(_ROLE_NAME.fullmatch(text))


def of_policy(place: str, policy: str, namespaces: tuple[str, ...]) -> Parsed:
    """Return the rights of EKS' access policy, given by its name or ARN.

    An empty list of ``namespaces`` means the whole cluster.
    """
    name = policy.rpartition("/")[2]
    if role := _LIKE.get(name.lower()):
        return Parsed((Right(role, CLUSTER_ROLE, namespaces, place),))
    return Parsed((), ((place, f"no ClusterRole is like {name[:60] or 'this policy'}"),))


def _text(place: str, keys: dict[str, Value], key: str) -> str:
    value = keys.get(key)
    if value is None or isinstance(value, str):
        return value or ""
    raise ValueError(f"{place}: {key} is not a text")


def _namespaces(place: str, keys: dict[str, Value]) -> tuple[str, ...]:
    if "namespaces" not in keys:
        return ()
    try:
        return namespaces(keys["namespaces"])
    except ValueError as error:
        raise ValueError(f"{place}: {error}") from error


def namespaces(value: Value) -> tuple[str, ...]:
    """Return the namespaces in a list, each once.

    Raises:
        ValueError: it is no list, is empty, or has something else in it. To take an empty list for
            the whole cluster would give more than somebody meant.
    """
    if not isinstance(value, list) or not value:
        raise ValueError("namespaces is not a list of names")
    if len(value) > _MAX_BINDINGS:
        raise ValueError(f"namespaces has more than {_MAX_BINDINGS} names")
    found = dict.fromkeys(str(each) for each in value)
    for each in found:
        if not _NAMESPACE.fullmatch(each):
            raise ValueError(f"{quoted(each)} is not a namespace's name")
    return tuple(found)

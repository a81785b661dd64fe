# SPDX-License-Identifier: Apache-2.0

"""The key `access` of an entry: the ClusterRoles that come with its mapping. Pure."""

from __future__ import annotations

import re

from access.declaration.yaml_text import Value, items, keys_of, text_of
from access.mapping import Right
from text import quoted

_NAMESPACE = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
# What the API server takes as the name of a role, but for letters that are not ASCII.
_ROLE_NAME = re.compile(r"(?!\.\.?$)[!-$&-.0-~]{1,253}")


def read(place: str, value: Value) -> list[Right]:
    """Return the roles in the value of `access`, whose entry is at ``place``. Raise ValueError if
    it is not a list of roles."""
    found = list[Right]()
    for where, item in items("access", value):
        try:
            found.append(_read_one(f"{place}.{where}", keys_of(item)))
        except ValueError as error:
            raise ValueError(f"{where}: {error}") from error
    return found


def _read_one(place: str, keys: dict[str, Value]) -> Right:
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

# Copyright 2026 Canonical Ltd.
# See LICENSE file for licensing details.

"""The formats in which people keep their mappings, read as one list. Pure.

A plain list; `mapRoles` and `mapUsers` by themselves, in EKS's ConfigMap aws-auth, in EKS
Anywhere's AWSIamConfig, or in a config file of aws-iam-authenticator; `iamIdentityMappings` of
eksctl. Keys may have capital or small letters. A list may be a text that holds one, as in a
ConfigMap.
"""

from __future__ import annotations

import dataclasses

from access.declaration import yaml_text
from access.declaration.yaml_text import Value

_LISTS = {
    "maproles": "mapRoles",
    "mapusers": "mapUsers",
    "iamidentitymappings": "iamIdentityMappings",
}
_ACCOUNTS = "mapaccounts"
# What else the authenticator's dynamic file has beside the lists.
_IGNORED = {"lastupdateddatetime", "version"}
# Where a Kubernetes object or a config file has the lists.
_PARTS = ("data", "spec", "server")


@dataclasses.dataclass(frozen=True)
class Listed:
    """An unchecked entry, and its place, such as ``mapRoles[0]``."""

    place: str
    value: Value


@dataclasses.dataclass(frozen=True)
class LeftOut:
    """A part that is good elsewhere and has no meaning here: its place, and the reason."""

    place: str
    reason: str


def read(text: str) -> tuple[list[Listed], list[LeftOut]]:
    """Return the entries in ``text``, in any of the formats, and the parts without a meaning here.

    Raises:
        ValueError: it is none of the formats.
    """
    document = yaml_text.load(text)
    if document is None:
        return [], []
    if isinstance(document, list):
        return _entries("mappings", document), []
    if isinstance(document, dict):
        return _of_map(document)
    raise ValueError(
        f"{shown(document)} is not a list of mappings; to read a file, write mappings=@FILE"
    )


def lowered(place: str, value: dict[str, Value]) -> dict[str, Value]:
    """Return a map with its keys in lower case. Raise ValueError if that makes two the same."""
    found = {key.lower(): inner for key, inner in value.items()}
    if len(found) < len(value):
        raise ValueError(f"{place}: a key is there twice, in capital and in small letters")
    return found


def shown(text: str) -> str:
    """Return ``text`` quoted on one line, short enough for a status."""
    return repr(text if len(text) <= 60 else f"{text[:57]}...")


def _of_map(document: dict[str, Value]) -> tuple[list[Listed], list[LeftOut]]:
    keys = lowered("the document", document)
    is_part = "kind" in keys
    if not _has_lists(keys):
        parts = (keys.get(name) for name in _PARTS)
        inner = [lowered("the document", part) for part in parts if isinstance(part, dict)]
        keys = next(filter(_has_lists, inner), keys)
        is_part = True
    if not _has_lists(keys):
        raise ValueError("it has neither a list of mappings nor mapRoles or mapUsers")
    unknown = keys.keys() - {*_LISTS, _ACCOUNTS, *_IGNORED}
    if unknown and not is_part:
        raise ValueError(f"the key {shown(min(unknown))} is unknown beside mapRoles and mapUsers")
    found = [
        entry
        for key, name in _LISTS.items()
        for entry in _entries(name, _list(name, keys.get(key)))
    ]
    accounts = _list("mapAccounts", keys.get(_ACCOUNTS))
    return found, [LeftOut("mapAccounts", NO_ACCOUNTS)] if accounts else []


NO_ACCOUNTS = "a whole account cannot be mapped, map its roles and users"


def _has_lists(keys: dict[str, Value]) -> bool:
    return not keys.keys().isdisjoint({*_LISTS, _ACCOUNTS})


def _list(name: str, value: Value) -> list[Value]:
    """Return a list, or the list that a text holds."""
    if isinstance(value, str):
        try:
            value = yaml_text.load(value)
        except ValueError as error:
            raise ValueError(f"{name}: {error}") from error
    if value is None:
        return []
    if isinstance(value, list):
        return value
    raise ValueError(f"{name} is not a list")


def _entries(name: str, values: list[Value]) -> list[Listed]:
    return [Listed(f"{name}[{number}]", value) for number, value in enumerate(values)]

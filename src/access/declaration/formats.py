# SPDX-License-Identifier: Apache-2.0

"""The formats in which people keep their mappings, read as one list. Pure.

A plain list; `mapRoles` and `mapUsers` by themselves, in EKS's ConfigMap aws-auth, in EKS
Anywhere's AWSIamConfig, or in a config file of aws-iam-authenticator; `iamIdentityMappings` and
`accessConfig` of eksctl; `access_entries` of the Terraform module terraform-aws-eks; what the AWS
CLI prints of access entries, one JSON after the other. Keys may have capital or small letters. A
list may be a text that holds one, as in a ConfigMap.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

from access.declaration import eks, yaml_text
from access.declaration.yaml_text import Value
from text import quoted

_LISTS = {
    "maproles": "mapRoles",
    "mapusers": "mapUsers",
    "iamidentitymappings": "iamIdentityMappings",
}
_ACCOUNTS = "mapaccounts"
# Where a Kubernetes object or a config file has the lists.
_PARTS = ("data", "spec", "server")


@dataclasses.dataclass(frozen=True)
class Unchecked:
    """An unchecked entry, and its place, such as ``mapRoles[0]``.

    ``policies_of`` is the principal in lower case if the value is a list of its access policies.
    ``wins`` says that it is an access entry, which counts on EKS whatever aws-auth says.
    """

    place: str
    value: Value
    policies_of: str = ""
    wins: bool = False


@dataclasses.dataclass(frozen=True)
class Remark:
    """What there is to say of a part of the option: its place, empty for all of it, and what is
    wrong with it, or why it has no meaning here."""

    place: str
    reason: str

    def __str__(self) -> str:
        return f"{self.place}: {self.reason}" if self.place else self.reason


def read(text: str) -> tuple[list[Unchecked], list[Remark]]:
    """Return the entries in ``text``, in any of the formats, and the parts without a meaning here.
    Raise ValueError if it is none of the formats."""
    documents = yaml_text.documents(text)
    found: list[Unchecked] = []
    left_out: list[Remark] = []
    for number, document in enumerate(documents):
        where = f"document {number + 1}: " if len(documents) > 1 else ""
        try:
            entries, without = _of_document(document)
        except ValueError as error:
            raise ValueError(f"{where}{error}") from error
        found += [dataclasses.replace(each, place=f"{where}{each.place}") for each in entries]
        left_out += [Remark(f"{where}{each.place}", each.reason) for each in without]
    joined, alone = _joined(found)
    return joined, [*left_out, *alone]


def _joined(found: list[Unchecked]) -> tuple[list[Unchecked], list[Remark]]:
    """Return the entries, each with its access policies, and the policies without an entry."""
    if not any(each.policies_of for each in found):
        return found, []
    policies: dict[str, list[Value]] = {}
    for each in found:
        if each.policies_of and isinstance(each.value, list):
            policies.setdefault(each.policies_of, []).extend(each.value)
    entries = [each for each in found if not each.policies_of]
    known = {eks.principal(each.value) for each in entries}
    alone = [
        Remark(each.place, "the access entry of its principal is missing")
        for each in found
        if each.policies_of and each.policies_of not in known
    ]
    for number, each in enumerate(entries):
        own = policies.get(eks.principal(each.value))
        if own and isinstance(each.value, dict):
            value: Value = {**each.value, eks.ASSOCIATED: own}
            entries[number] = dataclasses.replace(each, value=value)
    return entries, alone


def _of_document(document: Value) -> tuple[list[Unchecked], list[Remark]]:
    if document is None:
        return [], []
    if isinstance(document, list):
        return _entries("mappings", document), []
    if isinstance(document, dict):
        return _of_map(document)
    raise ValueError(
        f"{quoted(document)} is not a list of mappings; to read a file, write mappings=@FILE"
    )


def _of_map(document: dict[str, Value]) -> tuple[list[Unchecked], list[Remark]]:
    keys = yaml_text.lowered("the document", document)
    is_part = "kind" in keys or _has_access(keys)
    if not _has_lists(keys):
        keys = next(filter(_has_lists, _parts(keys)), keys)
        is_part = True
    if not _has_lists(keys):
        raise ValueError(NO_LIST)
    unknown = keys.keys() - {*_LISTS, _ACCOUNTS}
    if unknown and not is_part:
        raise ValueError(f"the key {quoted(min(unknown))} is unknown beside mapRoles and mapUsers")
    found = [
        entry
        for key, name in _LISTS.items()
        for entry in _entries(name, _list(name, keys.get(key)))
    ]
    left_out: list[Remark] = []
    if _has_access(keys):
        found += [Unchecked(place, value, wins=True) for place, value in eks.access_entries(keys)]
        principal, policies = eks.associated(keys)
        if policies:
            found.append(Unchecked(eks.ASSOCIATED, policies, principal.lower() or "nobody"))
        left_out += [Remark(place, reason) for place, reason in eks.without_meaning(keys)]
    if _list("mapAccounts", keys.get(_ACCOUNTS)):
        left_out.append(Remark("mapAccounts", NO_ACCOUNTS))
    return found, left_out


def _parts(keys: dict[str, Value]) -> Iterator[dict[str, Value]]:
    """Yield the parts of an object or of a config file that may have the lists."""
    for name in _PARTS:
        if isinstance(part := keys.get(name), dict):
            yield yaml_text.lowered("the document", part)


NO_LIST = "it has neither a list of mappings nor mapRoles or mapUsers"
NO_ACCOUNTS = "a whole account cannot be mapped, map its roles and users"


def _has_access(keys: dict[str, Value]) -> bool:
    return not keys.keys().isdisjoint(eks.KEYS)


def _has_lists(keys: dict[str, Value]) -> bool:
    return _has_access(keys) or not keys.keys().isdisjoint({*_LISTS, _ACCOUNTS})


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


def _entries(name: str, values: list[Value]) -> list[Unchecked]:
    return [Unchecked(f"{name}[{number}]", value) for number, value in enumerate(values)]

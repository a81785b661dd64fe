# SPDX-License-Identifier: Apache-2.0

"""The formats in which people keep their mappings, read as one list. Pure.

A plain list; `mapRoles` and `mapUsers` by themselves, in EKS's ConfigMap aws-auth, in EKS
Anywhere's AWSIamConfig, or in a config file of aws-iam-authenticator; `iamIdentityMappings` and
`accessConfig` of eksctl; `access_entries` of the Terraform module terraform-aws-eks; what the AWS
CLI prints of access entries, one JSON after the other. A list may be a text that holds one, as in
a ConfigMap.
"""

from __future__ import annotations

import dataclasses

from access.declaration import yaml_text
from access.declaration.rights import ASSOCIATED, Remark
from access.declaration.yaml_text import Value, items, keys_of, text_of
from text import quoted, word

_LISTS = {
    "maproles": "mapRoles",
    "mapusers": "mapUsers",
    "iamidentitymappings": "iamIdentityMappings",
}
_ACCOUNTS = "mapaccounts"
NO_ACCOUNTS = "a whole account cannot be mapped, map its roles and users"
# Keys of a document that has access entries or their policies.
_ENTRY, _ENTRIES, _CONFIG = "accessentry", "accessentries", "accessconfig"
_EKS = {_ENTRY, _ENTRIES, _CONFIG, ASSOCIATED}
_CREATOR = "bootstrapclustercreatoradminpermissions"
# Where a Kubernetes object or a config file has the lists.
_PARTS = ("data", "spec", "server")


@dataclasses.dataclass(frozen=True)
class Row:
    """An unchecked entry."""

    place: str  # Where the text has it, such as ``mapRoles[0]``.
    value: Value
    # Whether it is an access entry, which counts on EKS whatever aws-auth says.
    wins: bool = False


def read(text: str) -> tuple[list[Row], list[Remark]]:
    """Return the entries in ``text``, in any of the formats, and the parts without a meaning here.
    Raise ValueError if it is none of the formats."""
    documents = yaml_text.documents(text)
    rows, left_out = list[Row](), list[Remark]()
    policies = dict[str, list[Value]]()
    for number, document in enumerate(documents):
        where = f"document {number + 1}: " if len(documents) > 1 else ""
        try:
            keys = keys_of(document)
            found, without = _of_document(document)
            listed = keys.get(ASSOCIATED)
            if listed and isinstance(listed, list):
                policies.setdefault(text_of(keys, "principalarn"), []).extend(listed)
        except ValueError as error:
            raise ValueError(f"{where}{error}") from error
        rows += [dataclasses.replace(each, place=f"{where}{each.place}") for each in found]
        left_out += [Remark(f"{where}{each.place}", each.reason) for each in without]
    for number, row in enumerate(rows):
        if not isinstance(row.value, dict) or not row.wins:
            continue
        if own := policies.pop(str(row.value.get("principalArn")), None):
            rows[number] = dataclasses.replace(row, value={**row.value, ASSOCIATED: own})
    missing = "the access entry of its principal is missing"
    left_out += [Remark(f"associatedAccessPolicies of {word(each)}", missing) for each in policies]
    return rows, left_out


def _of_document(document: Value) -> tuple[list[Row], list[Remark]]:
    """Return the entries of a document, and its parts without a meaning here."""
    if isinstance(document, dict):
        return _of_map(keys_of(document))
    if not isinstance(document, str):
        return _entries("mappings", document), []
    raise ValueError(
        f"{quoted(document)} is not a list of mappings; to read a file, write mappings=@FILE"
    )


def _of_map(keys: dict[str, Value]) -> tuple[list[Row], list[Remark]]:
    lists = {*_LISTS, _ACCOUNTS, *_EKS}
    is_part = "kind" in keys or not _EKS.isdisjoint(keys)
    if lists.isdisjoint(keys):
        parts = [keys_of(keys.get(name)) for name in _PARTS]
        keys = next((part for part in parts if not lists.isdisjoint(part)), dict[str, Value]())
        is_part = True
    if not keys:
        raise ValueError("it has neither a list of mappings nor mapRoles or mapUsers")
    if (unknown := keys.keys() - lists) and not is_part:
        raise ValueError(f"the key {quoted(min(unknown))} is unknown beside mapRoles and mapUsers")
    rows = [row for key, name in _LISTS.items() for row in _entries(name, keys.get(key))]
    config = keys_of(keys.get(_CONFIG))
    if _ENTRY in keys:
        # Each is in a document of its own, of which the operator has many.
        principal = text_of(keys_of(keys[_ENTRY]), "principalarn")
        place = f"accessEntry of {word(principal)}" if principal else "accessEntry"
        rows.append(Row(place, keys[_ENTRY], wins=True))
    entries = items("accessEntries", keys.get(_ENTRIES))
    entries += items("accessConfig.accessEntries", config.get(_ENTRIES))
    rows += [Row(place, value, wins=True) for place, value in entries]
    left_out = list[Remark]()
    if config.get(_CREATOR) not in (None, "false", False):
        place = "accessConfig.bootstrapClusterCreatorAdminPermissions"
        left_out.append(Remark(place, "who created the cluster is in no list, map them"))
    if _entries("mapAccounts", keys.get(_ACCOUNTS)):
        left_out.append(Remark("mapAccounts", NO_ACCOUNTS))
    return rows, left_out


def _entries(name: str, value: Value) -> list[Row]:
    """Return the entries in a list, or in the list that a text holds."""
    if isinstance(value, str):
        try:
            found = yaml_text.documents(value)
        except ValueError as error:
            raise ValueError(f"{name}: {error}") from error
        if len(found) > 1:
            raise ValueError(f"{name} has {len(found)} documents, keep one of them")
        value = found[0] if found else None
    return [Row(place, each) for place, each in items(name, value)]

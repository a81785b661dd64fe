# SPDX-License-Identifier: Apache-2.0

"""How EKS and the tools around it write down who may log in, put into this charm's words. Pure.

Access entries as ``aws eks describe-access-entry`` and ``list-access-entries`` print them, as
eksctl's ``accessConfig`` and the Terraform module terraform-aws-eks write them, with their access
policies; and ``sso`` of aws-iam-authenticator and EKS Anywhere. Keys come in lower case.
"""

from __future__ import annotations

from collections.abc import Iterator

from access.declaration import roles, yaml_text
from access.declaration.roles import Parsed
from access.declaration.yaml_text import Value
from text import quoted, word

NODES = "nodes do not log in with IAM here"
_WORDS = {
    "principalarn": "arn",
    "principal_arn": "arn",
    "kubernetesusername": "username",
    "user_name": "username",
    "kubernetesgroups": "groups",
    "kubernetes_groups": "groups",
}
# What an access entry has beside these, and what a login does not depend on; with `_` between the
# words where Terraform writes it.
_DESCRIPTION = {
    *("accessentryarn", "access_entry_arn", "clustername", "cluster_name", "createdat"),
    *("created_at", "id", "modifiedat", "modified_at", "region", "tags", "tags_all", "timeouts"),
    "type",
}
# Where an entry has its access policies. `formats` puts those of the last kind there.
ASSOCIATED = "associatedAccessPolicies"
_POLICIES = {
    "accesspolicies": "accessPolicies",
    "policy_associations": "policy_associations",
    ASSOCIATED.lower(): ASSOCIATED,
}
_PEOPLE = "standard"
# Keys of a document that has access entries or their policies.
_ENTRY, _ENTRIES, _TERRAFORM = "accessentry", "accessentries", "access_entries"
_CONFIG, _ASSOCIATED = "accessconfig", ASSOCIATED.lower()
KEYS = {_ENTRY, _ENTRIES, _TERRAFORM, _CONFIG, _ASSOCIATED}
_CREATOR = "bootstrapclustercreatoradminpermissions"


class Meaningless(Exception):
    """An entry that is good elsewhere has no meaning here. The text is the reason."""


def access_entries(keys: dict[str, Value]) -> Iterator[tuple[str, Value]]:
    """Yield the place of each access entry of a document, and the unchecked entry. Raise
    ValueError if what should hold entries is neither a list nor a map."""
    if _ENTRY in keys:
        # Each is in a document of its own, of which the operator has many.
        whose = _plain(keys[_ENTRY]).get("principalarn")
        of = f" of {word(whose)}" if isinstance(whose, str) else ""
        yield f"accessEntry{of}", keys[_ENTRY]
    for place, value in _each("accessEntries", keys.get(_ENTRIES)):
        if not isinstance(value, str):
            yield place, value
    yield from _each("access_entries", keys.get(_TERRAFORM))
    yield from _each("accessConfig.accessEntries", _config(keys).get(_ENTRIES))


def associated(keys: dict[str, Value]) -> tuple[str, list[Value]]:
    """Return the principal of what `aws eks list-associated-access-policies` prints, and its
    policies; none where ``keys`` are something else."""
    principal, policies = keys.get("principalarn"), keys.get(_ASSOCIATED)
    if not isinstance(policies, list):
        return "", []
    return principal if isinstance(principal, str) else "", policies


def principal(entry: Value) -> str:
    """Return the principal of an unchecked access entry, in lower case; empty without one."""
    keys = _plain(entry)
    found = keys.get("principalarn")
    return found.lower() if isinstance(found, str) else ""


def without_meaning(keys: dict[str, Value]) -> Iterator[tuple[str, str]]:
    """Yield the place of each part that has no effect here, and what to do about it."""
    for place, value in _each("accessEntries", keys.get(_ENTRIES)):
        if isinstance(value, str):
            yield place, "only its ARN is there, add what aws eks describe-access-entry prints"
    if _config(keys).get(_CREATOR) not in (None, "false"):
        yield (
            "accessConfig.bootstrapClusterCreatorAdminPermissions",
            "who created the cluster is in no list, map them",
        )


def _config(keys: dict[str, Value]) -> dict[str, Value]:
    found = keys.get(_CONFIG)
    return yaml_text.lowered("accessConfig", found) if isinstance(found, dict) else {}


def _each(name: str, value: Value) -> list[tuple[str, Value]]:
    """Return the values of a list or of a map, with their places."""
    if value is None:
        return []
    if isinstance(value, dict):
        return [(f"{name}.{key[:60]}", inner) for key, inner in value.items()]
    if isinstance(value, list):
        return [(f"{name}[{number}]", inner) for number, inner in enumerate(value)]
    raise ValueError(f"{name} is not a list")


def translated(keys: dict[str, Value], partition: str) -> tuple[dict[str, Value], list[Parsed]]:
    """Return what the keys of an entry mean in this ``partition``, and the rights of its access
    policies. Keys of no tool stay as they are.

    Raises:
        Meaningless: the entry is not for people.
        ValueError: a value is not of its kind, or two keys mean the same.
    """
    if "sso" in keys:
        return _of_sso(keys, partition), []
    if keys.keys().isdisjoint({"principalarn", "principal_arn"}):
        return keys, []
    kind = keys.get("type")
    if isinstance(kind, str) and kind.lower() != _PEOPLE:
        raise Meaningless(f"{NODES} (type {kind[:40]})")
    known = {
        key: value for key, value in keys.items() if key not in _DESCRIPTION | _POLICIES.keys()
    }
    words = {_WORDS.get(key, key): value for key, value in known.items()}
    if len(words) < len(known):
        raise ValueError("two keys name the same")
    policies = [
        _of_policy(place, policy)
        for key, name in _POLICIES.items()
        for place, policy in _each(name, keys.get(key))
    ]
    return words, policies


def _of_sso(keys: dict[str, Value], partition: str) -> dict[str, Value]:
    sso = keys["sso"]
    found = yaml_text.lowered("sso", sso) if isinstance(sso, dict) else {}
    # Outside of partition aws, the authenticator's own files have to name it.
    its = found.pop("partition", partition)
    if found.keys() != {"permissionsetname", "accountid"}:
        raise ValueError("sso has not exactly permissionSetName and accountID, or partition")
    if its != partition:
        shown = quoted(its) if isinstance(its, str) else "no text"
        raise ValueError(f"sso has the partition {shown}, and the option partition is {partition}")
    if not keys.keys().isdisjoint({"permission-set", "account"}):
        raise ValueError("two keys name the same")
    others = {key: value for key, value in keys.items() if key != "sso"}
    words = {"permission-set": found["permissionsetname"], "account": found["accountid"]}
    return {**others, **words}


def _of_policy(place: str, policy: Value) -> Parsed:
    """Return the rights of an association with an access policy."""
    keys = _plain(policy)
    scope = _plain(keys.get("accessscope"))
    arn, kind = keys.get("policyarn"), scope.get("type")
    if not isinstance(arn, str):
        return Parsed((), ((place, "it names no policy"),))
    if kind == "cluster":
        return roles.of_policy(place, arn)
    try:
        where = roles.some_namespaces(place, scope.get("namespaces"))
        return roles.of_policy(place, arn, where)
    except ValueError as error:
        return Parsed((), ((place, f"{error}: write access with the namespaces"),))


def _plain(value: Value) -> dict[str, Value]:
    """Return a map with its keys in lower case and without `_`; empty for anything else."""
    if not isinstance(value, dict):
        return {}
    return {key.lower().replace("_", ""): inner for key, inner in value.items()}

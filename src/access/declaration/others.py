# SPDX-License-Identifier: Apache-2.0

"""Documents without a list of mappings: what to do with those of known tools. Pure."""

from __future__ import annotations

from access.declaration.yaml_text import Value

MAPPING = "IAMIdentityMapping"
_ACK = "AccessEntry"
_TERRAFORM = {"aws_auth_roles", "aws_auth_users", "aws_auth_accounts"}
# Where the cluster of kOps has its people.
_KOPS = ("spec", "authentication", "aws", "identityMappings")


def advice(document: dict[str, Value]) -> str:
    """Return how to write down the people of a document whose form is not read; empty if it has
    none that are known of."""
    kind = document.get("kind")
    kind = kind if isinstance(kind, str) else ""
    kinds = {kind, *_kinds_of_items(document)}
    if MAPPING in kinds or f"{MAPPING}List" in kinds:
        return f"{MAPPING} objects are for the cluster itself: kubectl apply -f FILE"
    if _ACK in kinds:
        return f"write the spec of each {_ACK} below accessEntries"
    if kind.endswith("List"):
        return f"write the items of the {kind} one after the other, with --- between them"
    if _inner(document, _KOPS):
        return "write the list identityMappings of kOps by itself"
    if not _TERRAFORM.isdisjoint(document):
        return "write mapRoles for aws_auth_roles, and mapUsers for aws_auth_users"
    return ""


def kind_of(document: Value) -> str:
    """Return the kind of a Kubernetes object; empty for any other document."""
    if not isinstance(document, dict) or not isinstance(document.get("apiVersion"), str):
        return ""
    kind = document.get("kind")
    return kind if isinstance(kind, str) else ""


def _kinds_of_items(document: dict[str, Value]) -> set[str]:
    items = document.get("items")
    return set(map(kind_of, items)) if isinstance(items, list) else set()


def _inner(value: Value, path: tuple[str, ...]) -> Value:
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return value

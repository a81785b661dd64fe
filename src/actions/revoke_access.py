"""`revoke-access`: delete every mapping that lets a principal in, whoever made it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from access import grants
from access.mappings import GRANT, IdentityMapping
from actions import Context
from cluster import api, identity_mappings, single_mapping
from errors import Waiting

# How often to look again for mappings that others create or change in between.
LOOKS = 5


def run(params: Mapping[str, Any], context: Context) -> Mapping[str, str]:
    """Delete the mappings, and return which.

    Raises:
        ValueError: a parameter is wrong.
        errors.Unready: the option declares one of the mappings, or the cluster does not answer or
            does not let the charm delete.
    """
    target = grants.target(params)
    with api.errors_as_status():
        client = api.connect(context.machine.admin_kubeconfig)
        if params["dry-run"]:
            found = identity_mappings.find(client, newest=True)
            return _results("would revoke", grants.to_revoke(found, target))
        return _results("revoked", _delete(client, target))


def _delete(client: api.Client, target: grants.Target) -> list[IdentityMapping]:
    """Delete the mappings until none is left, and return them."""
    deleted: list[IdentityMapping] = []
    for _ in range(LOOKS):
        chosen = grants.to_revoke(identity_mappings.find(client, newest=True), target)
        if not chosen:
            return deleted
        deleted += [mapping for mapping in chosen if _delete_one(client, mapping)]
    raise Waiting("others keep creating or changing mappings of this principal, run this again")


def _delete_one(client: api.Client, mapping: IdentityMapping) -> bool:
    """Delete ``mapping``; return whether this did it."""
    stored = single_mapping.read(client, mapping.name)
    # Another of the same name may have taken its place.
    if not stored or stored.mapping.arn != mapping.arn:
        return False
    try:
        single_mapping.delete(client, stored)
    except single_mapping.ChangedError:
        return False
    return True


def _results(done: str, mappings: list[IdentityMapping]) -> dict[str, str]:
    if not mappings:
        return {"result": "nothing to revoke: no such mapping"}
    return {
        "result": done,
        "mappings": "\n".join(map(_line, mappings)),
        "counts-from": "now; a token that has just been accepted may work for another minute",
    }


def _line(mapping: IdentityMapping) -> str:
    groups = f", groups {', '.join(mapping.groups)}" if mapping.groups else ""
    source = "a grant" if mapping.source == GRANT else "a person's"
    return f"{mapping.name}: {mapping.arn} as {mapping.username}{groups} ({source})"

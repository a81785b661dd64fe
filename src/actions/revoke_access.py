# Copyright 2026 Canonical Ltd.
# See LICENSE file for licensing details.

"""`revoke-access`: delete every mapping that lets a principal in, whoever made it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import clock
from access import grants
from access.declared import Entry
from access.mappings import GRANT, OPTION, IdentityMapping
from actions import MAX_BYTES, Context
from cluster import api, identity_mappings, single_mapping
from errors import Waiting, cut, one_line

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
    entries = grants.declared_entries(str(context.options["mappings"]), clock.now())
    application = context.owner.application
    with api.errors_as_status():
        client = api.connect(context.machine.admin_kubeconfig)
        if params["dry-run"]:
            found = identity_mappings.find(client, newest=True)
            return _results("would revoke", grants.to_revoke(found, target, entries, application))
        return _results("revoked", _delete(client, target, entries, application))


def _delete(
    client: api.Client,
    target: grants.Target,
    entries: Sequence[Entry] | None,
    application: str,
) -> list[IdentityMapping]:
    """Delete the mappings until none is left, and return them."""
    deleted: list[IdentityMapping] = []
    for _ in range(LOOKS):
        found = identity_mappings.find(client, newest=True)
        chosen = grants.to_revoke(found, target, entries, application)
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
        "mappings": cut("\n".join(one_line(_line(mapping)) for mapping in mappings), MAX_BYTES),
        "counts-from": "now; a token that has just been accepted may work for another minute",
    }


def _line(mapping: IdentityMapping) -> str:
    groups = f", groups {', '.join(mapping.groups)}" if mapping.groups else ""
    source = {GRANT: "a grant", OPTION: "the option's, not declared"}.get(
        mapping.source, "a person's"
    )
    return f"{mapping.name}: {mapping.arn} as {mapping.username}{groups} ({source})"

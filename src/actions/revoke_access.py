# SPDX-License-Identifier: Apache-2.0

"""`revoke-access`: delete every mapping that lets a principal in, whoever made it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from access import desired, grants
from access.mapping import IdentityMapping
from actions import Failed, check_leads, joined
from cluster import access, objects
from cluster.errors import errors_as_status
from hook import Hook
from text import first

# How many failures a text names.
FAILURES_SHOWN = 3


def run(params: Mapping[str, Any], hook: Hook) -> Mapping[str, str]:
    """Delete the mappings and what is bound to them, and return which mappings.

    A mapping of another principal whose status lets this one in stays, with the right status.
    """
    target = grants.target(params)
    check_leads(hook)
    client, owner, config = hook.client, hook.owner, hook.config
    with errors_as_status():
        objects.check_owner(client, owner)
        found = access.read(client)
        revoked = grants.to_revoke(found.mappings, target, config.declared, owner.application)
        by_status = grants.admitted_by_status(found.mappings, target)
        others = found.without({each.name for each in revoked})
        wanted = desired.effective(others.mappings, others)
        left = access.make(client, found, wanted, "revoke-access").left
    results = _results(
        [each for each in revoked if each.name not in left],
        [each for each in by_status if each.name not in left],
    )
    if left:
        failures = [
            f"{access.shown(key)} is not as it should be, run this again: {each.why}"
            for key, each in left.items()
        ]
        raise Failed("; ".join(first(failures, FAILURES_SHOWN)), results)
    return results or {"result": "nothing to revoke: no such mapping"}


def _results(revoked: list[IdentityMapping], by_status: list[IdentityMapping]) -> dict[str, str]:
    lines = [*map(grants.shown, revoked), *(f"{each.name}: its status" for each in by_status)]
    if not lines:
        return {}
    return {
        "result": "revoked",
        "mappings": joined(lines),
        "effective": "now; cached tokens keep working for up to 1 minute",
    }

# SPDX-License-Identifier: Apache-2.0

"""`revoke-access`: delete every mapping that lets a principal in, whoever made it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from access import arn, desired, grants
from access.mapping import IdentityMapping
from actions import Failed, check_leads, joined
from cluster import access, objects
from cluster.errors import errors_as_status
from hook import Hook
from text import first, word

# How many failures a text names.
FAILURES_SHOWN = 3


def run(params: Mapping[str, Any], hook: Hook) -> Mapping[str, str]:
    """Delete the mappings and what is bound to them, and return which mappings.

    A mapping of another principal whose status lets this one in gets the right status.
    """
    arn.canonicalize(params["arn"])
    check_leads(hook)
    client, owner, config = hook.client, hook.owner, hook.config
    with errors_as_status():
        objects.check_owner(client, owner)
        found = access.read(client)
        revoked = grants.to_revoke(
            found.mappings, params["arn"], config.declared, owner.application
        )
        others = found.without({each.name for each in revoked})
        wanted = desired.effective(others.mappings, others)
        left = access.make(client, found, wanted, "revoke-access").left
    results = _results([each for each in revoked if each.name not in left])
    if left:
        failures = [
            f"{access.shown(key)} is not as it should be, run this again: {each.why}"
            for key, each in left.items()
        ]
        raise Failed("; ".join(first(failures, FAILURES_SHOWN)), results)
    return results or {"result": "nothing to revoke: no such mapping"}


def _results(revoked: list[IdentityMapping]) -> dict[str, str]:
    if not revoked:
        return {}
    lines = (f"{each.name}: {word(each.arn)} as {word(each.username)}" for each in revoked)
    return {
        "result": "revoked",
        "mappings": joined(lines),
        "effective": "now; cached tokens keep working for up to 1 minute",
    }

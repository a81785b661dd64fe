# SPDX-License-Identifier: Apache-2.0

"""`revoke-access`: delete every mapping that lets a principal in, whoever made it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from access import desired, grants
from access.desired import Access
from access.mapping import IdentityMapping
from actions import Failed, joined
from cluster import objects, state, sync
from cluster.errors import errors_as_status
from cluster.sync import Left
from hook import Hook
from text import first

# How many failures a text names.
FAILURES_SHOWN = 3


def run(params: Mapping[str, Any], hook: Hook) -> Mapping[str, str]:
    """Delete the mappings and what is bound to them, and return which mappings.

    A mapping of another principal whose status lets this one in stays, with the right status.
    """
    target = grants.target(params)
    client, owner, config = hook.client, hook.owner, hook.config
    with errors_as_status():
        objects.check_owner(client, owner)
        found = _find(hook, target)
        revoked = grants.to_revoke(
            found.mappings, target, config.declared, owner.application, config.partition
        )
        by_status = grants.admitted_by_status(found.mappings, target)
        left = found.without({each.name for each in revoked})
        steps = desired.changes(found, desired.effective(left, by_status))
        result = sync.make(client, owner, steps, "revoke-access")
    there = {each.name for each in result.after.mappings}
    stays = {key: left for key, left in result.left.items() if "/" in key or key in there}
    results = _results(
        [each for each in revoked if each.name not in stays],
        [each for each in by_status if each.name not in stays],
    )
    if stays:
        failures = [_failure(key, why, by_status) for key, why in stays.items()]
        raise Failed("; ".join(first(failures, FAILURES_SHOWN)), results)
    return results or {"result": "nothing to revoke: no such mapping"}


def _find(hook: Hook, target: grants.Target) -> Access:
    """Return all mappings, or only the one that is named, with the bindings for them.

    To read the one works however many there are, and however large somebody has made them.
    """
    if not target.name:
        return state.access(hook.client, hook.owner, newest=True)
    named = state.mapping(hook.client, target.name)
    bound = state.role_bindings(hook.client, hook.owner, newest=True)
    own = tuple(each for each in bound if each.mapping == target.name)
    return Access((named,) if named else (), own)


def _failure(key: str, left: Left, by_status: list[IdentityMapping]) -> str:
    """Return why a mapping still lets the principal in, or a binding is still there."""
    if any(each.name == key for each in by_status):
        why = left.why or f"{sync.UNSAID}; run this again"
        return f"the status of mapping {key} still lets it in: {why}"
    if left.refused:
        return f"the cluster refuses to delete {sync.shown(key)}: {left.why}"
    return f"{sync.shown(key)} may still be there, run this again: {left.why or sync.UNSAID}"


def _results(revoked: list[IdentityMapping], by_status: list[IdentityMapping]) -> dict[str, str]:
    lines = [*map(grants.shown, revoked), *(f"{each.name}: its status" for each in by_status)]
    if not lines:
        return {}
    return {
        "result": "revoked",
        "mappings": joined(lines),
        "effective": "now; cached tokens keep working for up to 1 minute",
    }

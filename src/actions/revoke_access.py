# SPDX-License-Identifier: Apache-2.0

"""`revoke-access`: delete every mapping that lets a principal in, whoever made it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import access_changes
from access import desired, grants
from access.desired import Access
from access.mapping import IdentityMapping
from access_changes import BY_REVOCATION
from actions import MAX_BYTES, Failed, joined
from cluster import api, bindings, objects, state, sync
from cluster.errors import errors_as_status
from errors import Unready, Waiting
from hook import Hook
from text import cut, first

# How often to look again for mappings that others create or change in between.
LOOKS = 5
# How long the others may take to read where one mapping is named.
WARNING_SECONDS = 8.0
# How many failures a text names.
FAILURES_SHOWN = 3


def run(params: Mapping[str, Any], hook: Hook) -> Mapping[str, str]:
    """Delete the mappings and what is bound to them, and return which mappings.

    ``warning`` is there if that takes away the last mapping that can certainly administer the
    cluster, or if nobody can tell.
    """
    target = grants.target(params)
    with errors_as_status():
        objects.check_owner(hook.client, hook.owner)
        found = _find(hook, target)
        warning = _warning(hook, target, found)
        by_status = grants.admitted_by_status(found.mappings, target)
        if params["dry-run"]:
            return _results("would revoke", _chosen(found, hook, target), by_status) | warning
        revoked, refused = _revoke(hook, target, found)
        by_status, failures = _withdraw(hook, found, by_status)
    failures += [
        f"the cluster refuses to delete {sync.shown(key)}: {reason}"
        for key, reason in refused.items()
    ]
    results = _results("revoked", revoked, by_status) | (warning if revoked else {})
    if failures:
        text = "; ".join(first(failures, FAILURES_SHOWN))
        raise Failed(text, results if revoked or by_status else {})
    return results


def _withdraw(
    hook: Hook, found: Access, by_status: list[IdentityMapping]
) -> tuple[list[IdentityMapping], list[str]]:
    """Correct the statuses of mappings of others, so that they admit only their own principals.
    Return the mappings whose status is right then, and an error for each of the others."""
    if not by_status:
        return [], []
    steps = desired.changes(found, desired.effective(found, by_status))
    result = sync.make(hook.client, hook.owner, steps, BY_REVOCATION)
    there = {each.name for each in result.after.mappings}
    unsaid = "others change it, or no time was left; run this again"
    stay = {key: left.why or unsaid for key, left in result.left.items() if key in there}
    failures = [
        f"the status of mapping {key} still lets it in: {reason}" for key, reason in stay.items()
    ]
    return [each for each in by_status if each.name not in stay], failures


def _warning(hook: Hook, target: grants.Target, found: Access) -> dict[str, str]:
    """Return the warning that nobody may be left who administers the cluster, if there is one.

    Where only the named mapping was ``found``, the others count too, if they can be read in time:
    whoever may write mappings may have made that take long.
    """
    client = hook.client
    try:
        with errors_as_status():
            if target.name:
                client = api.connect(hook.machine.admin_kubeconfig, WARNING_SECONDS)
                found = state.access(client, hook.owner, newest=True)
            wanted = found.without({each.name for each in _chosen(found, hook, target)})
            steps = desired.changes(found, wanted)
            partition = hook.config.partition
            warning = bindings.last_administrators(client, partition, found, wanted, steps)
    except Unready as reason:
        warning = bindings.unknown(reason)
    return {"warning": cut(warning, MAX_BYTES)} if warning else {}


def _revoke(
    hook: Hook, target: grants.Target, found: Access
) -> tuple[list[IdentityMapping], dict[str, str]]:
    """Delete the mappings until none is left, beginning with those ``found``. Return them, and
    what the cluster refuses, by the names of mappings and the keys of bindings."""
    bound, seen, refused = found.bindings, dict[str, IdentityMapping](), dict[str, str]()
    why = "others keep creating or changing mappings of this principal"
    try:
        for _ in range(LOOKS):
            chosen = [each for each in _chosen(found, hook, target) if each.name not in refused]
            if not chosen:
                return _gone(seen, found), refused
            seen |= {each.name: each for each in chosen}
            wanted = found.without({each.name for each in chosen})
            steps = desired.changes(found, wanted)
            result = sync.make(hook.client, hook.owner, steps, BY_REVOCATION)
            refused |= {key: left.why for key, left in result.left.items() if left.refused}
            why = next((left.why for left in result.left.values() if left.why), why)
            found = result.after
            found = _find(hook, target)
    finally:
        before = Access(tuple(seen.values()), bound)
        access_changes.tell(hook, before, found, {*seen}, BY_REVOCATION)
    raise Waiting(f"not all of these mappings are gone for certain, run this again: {why}")


def _gone(seen: Mapping[str, IdentityMapping], found: Access) -> list[IdentityMapping]:
    return access_changes.removed(Access(tuple(seen.values())), found)


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


def _chosen(found: Access, hook: Hook, target: grants.Target) -> list[IdentityMapping]:
    application, config = hook.owner.application, hook.config
    return grants.to_revoke(found.mappings, target, config.declared, application, config.partition)


def _results(
    done: str, mappings: list[IdentityMapping], by_status: list[IdentityMapping]
) -> dict[str, str]:
    if not mappings and not by_status:
        return {"result": "nothing to revoke: no such mapping"}
    lines = [*map(grants.shown, mappings), *(f"{each.name}: its status" for each in by_status)]
    results = {"result": done, "mappings": joined(lines)}
    if done.startswith("would"):
        return results
    return {**results, "effective": "now; cached tokens keep working for up to 1 minute"}

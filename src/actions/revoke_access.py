# SPDX-License-Identifier: Apache-2.0

"""`revoke-access`: delete every mapping that lets a principal in, whoever made it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from access import desired, grants
from access.desired import Access
from access.mapping import IdentityMapping
from actions import MAX_BYTES, Failed, joined
from cluster import api, bindings, events, state, sync
from cluster.errors import errors_as_status
from errors import Unready, Waiting
from hook import Hook
from labels import GRANT, OPTION
from text import cut, word

# How often to look again for mappings that others create or change in between.
LOOKS = 5
# How long the others may take to read where one mapping is named.
WARNING_SECONDS = 8.0


def run(params: Mapping[str, Any], hook: Hook) -> Mapping[str, str]:
    """Delete the mappings and what is bound to them, and return which mappings.

    ``warning`` is there if no mapping can certainly administer the cluster after that.

    Raises:
        ValueError: a parameter is wrong.
        errors.Unready: the option declares one of the mappings, or the cluster does not answer.
        Failed: the cluster refuses to delete a mapping or a binding; the others are gone.
    """
    target = grants.target(params)
    with errors_as_status():
        found = _find(hook, target)
        warning = _warning(hook, target, found)
        if params["dry-run"]:
            return _results("would revoke", _chosen(found, hook, target)) | warning
        revoked, refused = _revoke(hook, target, found)
    events.write(hook.client, hook.owner, list(map(_note, revoked)))
    results = _results("revoked", revoked) | (warning if revoked else {})
    for key, reason in refused.items():
        text = f"the cluster refuses to delete {sync.shown(key)}: {reason}"
        raise Failed(text, results if revoked else {})
    return results


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


def _note(mapping: IdentityMapping) -> events.Note:
    text = f"revoke-access ended this access: {_line(mapping)}"
    return events.Note("AccessRevoked", "Revoke", mapping, text, gone=True)


def _revoke(
    hook: Hook, target: grants.Target, found: Access
) -> tuple[list[IdentityMapping], dict[str, str]]:
    """Delete the mappings until none is left, beginning with ``found``. Return them, and what the
    cluster refuses, by the names of mappings and the keys of bindings."""
    done, refused = dict[str, IdentityMapping](), dict[str, str]()
    for _ in range(LOOKS):
        chosen = [each for each in _chosen(found, hook, target) if each.name not in refused]
        if not chosen:
            return list(done.values()), refused
        wanted = found.without({each.name for each in chosen})
        result = sync.make(hook.client, hook.owner, desired.changes(found, wanted))
        done |= {each.name: each for each in chosen if each.name in result.done}
        refused |= result.refused
        found = _find(hook, target)
    raise Waiting("others keep creating or changing mappings of this principal, run this again")


def _find(hook: Hook, target: grants.Target) -> Access:
    """Return all mappings, or only the one that is named, with the bindings for them.

    To read the one works however many there are, and however large somebody has made them.
    """
    if not target.name:
        return state.access(hook.client, hook.owner, newest=True)
    named = state.mapping(hook.client, target.name)
    bound = state.role_bindings(hook.client, hook.owner)
    own = tuple(each for each in bound if each.mapping == target.name)
    return Access((named,) if named else (), own)


def _chosen(found: Access, hook: Hook, target: grants.Target) -> list[IdentityMapping]:
    entries, partition = hook.config.declared.known, hook.config.partition
    application = hook.owner.application
    return grants.to_revoke(found.mappings, target, entries, application, partition)


def _results(done: str, mappings: list[IdentityMapping]) -> dict[str, str]:
    if not mappings:
        return {"result": "nothing to revoke: no such mapping"}
    results = {"result": done, "mappings": joined(map(_line, mappings))}
    if done.startswith("would"):
        return results
    return {**results, "effective": "now; cached tokens keep working for up to 1 minute"}


def _line(mapping: IdentityMapping) -> str:
    groups = f", groups {', '.join(map(word, mapping.groups))}" if mapping.groups else ""
    source = {GRANT: "a grant", OPTION: "the option's, not declared"}.get(
        mapping.source, "a person's"
    )
    return f"{mapping.name}: {word(mapping.arn)} as {word(mapping.username)}{groups} ({source})"

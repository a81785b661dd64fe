# SPDX-License-Identifier: Apache-2.0

"""`revoke-access`: delete every mapping that lets a principal in, whoever made it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from access import desired, grants
from access.desired import Access
from access.mapping import IdentityMapping
from actions import MAX_BYTES, Context, Failed, joined
from cluster import api, events, state, sync
from cluster.errors import errors_as_status
from errors import Unready, Waiting
from labels import GRANT, OPTION
from leader import administrators
from text import cut

# How often to look again for mappings that others create or change in between.
LOOKS = 5


def run(params: Mapping[str, Any], context: Context) -> Mapping[str, str]:
    """Delete the mappings, and return which. Correct the status of one that names somebody else.

    ``warning`` is there if no mapping can certainly administer the cluster after that.

    Raises:
        ValueError: a parameter is wrong.
        errors.Unready: the option declares one of the mappings, or the cluster does not answer.
        Failed: the cluster refuses to delete or correct a mapping; the others are gone.
    """
    target = grants.target(params)
    with errors_as_status():
        client = api.connect(context.machine.admin_kubeconfig)
        found = _find(client, context, target)
        warning = _warning(client, context, target, found)
        if params["dry-run"]:
            return _results("would revoke", _chosen(found, context, target), target) | warning
        revoked, refused = _revoke(client, context, target, found)
    events.write(client, context.owner, [_note(mapping, target) for mapping in revoked])
    results = _results("revoked", revoked, target) | (warning if revoked else {})
    for text in refused.values():
        raise Failed(text, results if revoked else {})
    return results


def _warning(
    client: api.Client, context: Context, target: grants.Target, found: Access
) -> dict[str, str]:
    """Return the warning that nobody may be left who administers the cluster, if there is one.

    Where only the named mapping was ``found``, the others count too, if they can be read.
    """
    try:
        with errors_as_status():
            if target.name:
                found = state.access(client, context.owner, newest=True)
            wanted = grants.without(found, _chosen(found, context, target), target)
            steps = desired.changes(found, wanted)
            warning = administrators.last(client, context.config.partition, found, wanted, steps)
    except Unready as reason:
        warning = f"cannot find out who administers the cluster after this: {reason}"
    return {"warning": cut(warning, MAX_BYTES)} if warning else {}


def _note(mapping: IdentityMapping, target: grants.Target) -> events.Note:
    is_gone = not grants.is_astray(mapping, target)
    text = f"revoke-access ended this access: {_line(mapping, target)}"
    return events.Note("AccessRevoked", "Revoke", mapping, text, gone=is_gone)


def _revoke(
    client: api.Client, context: Context, target: grants.Target, found: Access
) -> tuple[list[IdentityMapping], dict[str, str]]:
    """Delete or correct the mappings until none is left, beginning with ``found``. Return them,
    and what the cluster refuses, by the mappings' names."""
    done, refused = dict[str, IdentityMapping](), dict[str, str]()
    for _ in range(LOOKS):
        chosen = [each for each in _chosen(found, context, target) if each.name not in refused]
        if not chosen:
            return list(done.values()), refused
        wanted = grants.without(found, chosen, target)
        result = sync.make(client, context.owner, desired.changes(found, wanted))
        done |= {each.name: each for each in chosen if each.name in result.done}
        for each in chosen:
            if reason := result.refused.get(each.name):
                astray = grants.is_astray(each, target)
                change = "correct the status of" if astray else "delete"
                text = f"the cluster refuses to {change} mapping {each.name}: {reason}"
                refused[each.name] = text
        found = _find(client, context, target)
    raise Waiting("others keep creating or changing mappings of this principal, run this again")


def _find(client: api.Client, context: Context, target: grants.Target) -> Access:
    """Return all mappings, or only the one that is named, with the bindings for them.

    To read the one works however many there are, and however large somebody has made them.
    """
    if not target.name:
        return state.access(client, context.owner, newest=True)
    named = state.mapping(client, target.name)
    bound = state.role_bindings(client, context.owner)
    own = tuple(each for each in bound if each.mapping == target.name)
    return Access((named,) if named else (), own)


def _chosen(found: Access, context: Context, target: grants.Target) -> list[IdentityMapping]:
    entries, partition = context.config.declared.known, context.config.partition
    application = context.owner.application
    return grants.to_revoke(found.mappings, target, entries, application, partition)


def _results(done: str, mappings: list[IdentityMapping], target: grants.Target) -> dict[str, str]:
    if not mappings:
        return {"result": "nothing to revoke: no such mapping"}
    return {
        "result": done,
        "mappings": joined(_line(mapping, target) for mapping in mappings),
        "effective": "now; cached tokens keep working for up to 1 minute",
    }


def _line(mapping: IdentityMapping, target: grants.Target) -> str:
    if grants.is_astray(mapping, target):
        return f"{mapping.name}: its status let the principal in, it stays for {mapping.arn}"
    groups = f", groups {', '.join(mapping.groups)}" if mapping.groups else ""
    source = {GRANT: "a grant", OPTION: "the option's, not declared"}.get(
        mapping.source, "a person's"
    )
    return f"{mapping.name}: {mapping.arn} as {mapping.username}{groups} ({source})"

# SPDX-License-Identifier: Apache-2.0

"""`revoke-access`: delete every mapping that lets a principal in, whoever made it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from access import grants
from access.declaration.declared import Entry
from access.mapping import IdentityMapping
from actions import MAX_BYTES, Context, Failed
from cluster import api, events
from cluster.errors import Conflict, errors_as_status
from cluster.mappings import listing, single
from errors import Waiting
from labels import GRANT, OPTION
from text import cut, one_line

# How often to look again for mappings that others create or change in between.
LOOKS = 5


def run(params: Mapping[str, Any], context: Context) -> Mapping[str, str]:
    """Delete the mappings, and return which. Correct the status of one that names somebody else.

    Raises:
        ValueError: a parameter is wrong.
        errors.Unready: the option declares one of the mappings, or the cluster does not answer.
        Failed: the cluster refuses to delete or correct a mapping; the others are gone.
    """
    target = grants.target(params)
    entries = context.config.declared.known
    application, partition = context.owner.application, context.config.partition
    with errors_as_status():
        client = api.connect(context.machine.admin_kubeconfig)
        if params["dry-run"]:
            found = listing.find(client, newest=True)
            found = grants.to_revoke(found, target, entries, application, partition)
            return _results("would revoke", found, target)
        revoked, refused = _revoke(client, target, entries, application, partition)
    events.write(client, context.owner, [_note(mapping, target) for mapping in revoked])
    for text in refused.values():
        raise Failed(text, _results("revoked", revoked, target) if revoked else {})
    return _results("revoked", revoked, target)


def _note(mapping: IdentityMapping, target: grants.Target) -> events.Note:
    is_gone = not grants.is_astray(mapping, target)
    text = f"revoke-access ended this access: {_line(mapping, target)}"
    return events.Note("AccessRevoked", "Revoke", mapping, text, gone=is_gone)


def _revoke(
    client: api.Client,
    target: grants.Target,
    entries: Sequence[Entry] | None,
    application: str,
    partition: str,
) -> tuple[list[IdentityMapping], dict[str, str]]:
    """Delete or correct the mappings until none is left, and return them. Return also what the
    cluster refuses, by the mappings' names."""
    done, refused = list[IdentityMapping](), dict[str, str]()
    for _ in range(LOOKS):
        found = listing.find(client, newest=True)
        chosen = grants.to_revoke(found, target, entries, application, partition)
        left = [mapping for mapping in chosen if mapping.name not in refused]
        if not left:
            return done, refused
        for mapping in left:
            try:
                done += [mapping] if _end(client, mapping, target) else []
            except single.RefusedError as reason:
                astray = grants.is_astray(mapping, target)
                change = "correct the status of" if astray else "delete"
                text = f"the cluster refuses to {change} mapping {mapping.name}: {reason}"
                refused[mapping.name] = text
    raise Waiting("others keep creating or changing mappings of this principal, run this again")


def _end(client: api.Client, mapping: IdentityMapping, target: grants.Target) -> bool:
    """Delete or correct ``mapping``; return whether this did it.

    Raises:
        single.RefusedError: others do not let it go, or change.
    """
    if grants.is_astray(mapping, target):
        return single.correct(client, mapping)
    stored = single.read(client, mapping.name)
    # Another of the same name may have taken its place.
    if not stored or stored.mapping.arn != mapping.arn:
        return False
    try:
        single.delete(client, stored)
    except Conflict:
        return False
    return True


def _results(done: str, mappings: list[IdentityMapping], target: grants.Target) -> dict[str, str]:
    if not mappings:
        return {"result": "nothing to revoke: no such mapping"}
    return {
        "result": done,
        "mappings": cut(
            "\n".join(one_line(_line(mapping, target)) for mapping in mappings), MAX_BYTES
        ),
        "counts-from": "now; a token that has just been accepted may work for another minute",
    }


def _line(mapping: IdentityMapping, target: grants.Target) -> str:
    if grants.is_astray(mapping, target):
        return f"{mapping.name}: its status let the principal in, it stays for {mapping.arn}"
    groups = f", groups {', '.join(mapping.groups)}" if mapping.groups else ""
    source = {GRANT: "a grant", OPTION: "the option's, not declared"}.get(
        mapping.source, "a person's"
    )
    return f"{mapping.name}: {mapping.arn} as {mapping.username}{groups} ({source})"

# SPDX-License-Identifier: Apache-2.0

"""`list-refusals`: who was refused in the last hour, and why, by the authenticator's log."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from access import desired, explanation, refusals
from access.declaration.declared import Entry
from access.mapping import IdentityMapping
from actions import Context, joined
from cluster import api, pod_logs, state
from cluster.errors import errors_as_status

# How far back the pods' log is read, in seconds.
RECENT = 3600


def run(_: Mapping[str, Any], context: Context) -> Mapping[str, str]:
    """Return ``refusals``, a line for each principal and cause, with how to let them in.

    Raises:
        errors.Unready: the API server does not answer as it should.
    """
    with errors_as_status():
        client = api.connect(context.machine.admin_kubeconfig)
        mapped = state.mappings(client, newest=context.config.declared.learns)
        found = lines(client, context, mapped)
    return {"refusals": joined(found)}


def lines(
    client: api.Client, context: Context, mapped: Sequence[IdentityMapping], looked_up: str = ""
) -> list[str]:
    """Return the lines on the last hour's refusals. For one principal that is ``looked_up``, leave
    out others who are mapped by now."""
    application, entries = context.owner.application, context.config.declared.entries
    log = pod_logs.read(client, RECENT)
    found = refusals.parse(log.lines, log.begin, log.end)
    if looked_up:
        found = explanation.without_mapped(found, mapped)
    seen = explanation.Log(found, log.unread, log.begin, log.covers)
    accounts, learned = explanation.accounts(mapped, entries), _learned(client, context, mapped)
    learning = [entry for entry in entries if entry.learns]
    return [
        *explanation.refused(seen, looked_up, application, mapped, accounts, learned, learning)
    ]


def _learned(
    client: api.Client, context: Context, mapped: Sequence[IdentityMapping]
) -> Iterator[Entry]:
    """Yield the entries of permission sets whose role the log shows, and no mapping names yet.

    The leader's next hook maps them. An action that explains changes nothing.
    """
    partition = context.config.partition
    learning = [entry for entry in context.config.declared.entries if entry.learns]
    if not learning:
        return
    sets = [entry.permission_set for entry in learning if entry.permission_set]
    roles = state.permission_set_roles(client, sets, mapped, partition)
    known = {(mapping.name, mapping.principal) for mapping in mapped}
    for entry in (desired.resolved(entry, partition, roles) for entry in learning):
        if entry.principal and (entry.name, entry.principal) not in known:
            yield entry

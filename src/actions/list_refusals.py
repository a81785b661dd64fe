# SPDX-License-Identifier: Apache-2.0

"""`list-refusals`: who was refused in the last hour, and why, by the authenticator's log."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from access import refusal_list, refusals
from access.mapping import IdentityMapping
from actions import MAX_BYTES, Context
from cluster import api, pod_logs
from cluster.errors import errors_as_status
from cluster.mappings import listing
from leader import mappings as leader_mappings
from text import cut, one_line

# How far back the pods' log is read, in seconds.
RECENT = 3600


def run(_: Mapping[str, Any], context: Context) -> Mapping[str, str]:
    """Return ``refusals``, a line for each principal and cause, with how to let them in.

    Raises:
        errors.Unready: the API server does not answer as it should.
    """
    with errors_as_status():
        client = api.connect(context.machine.admin_kubeconfig)
        mapped = listing.find(client, newest=context.config.declared.learns)
        found = lines(client, context, mapped)
    return {"refusals": cut("\n".join(map(one_line, found)), MAX_BYTES)}


def lines(
    client: api.Client, context: Context, mapped: Sequence[IdentityMapping], looked_up: str = ""
) -> list[str]:
    """Return the lines on the last hour's refusals. For one principal that is ``looked_up``, leave
    out others who are mapped by now."""
    application, entries = context.owner.application, context.config.declared.entries
    log = pod_logs.read(client, RECENT)
    found = refusals.parse(log.lines, log.begin, log.end)
    if looked_up:
        found = refusal_list.without_mapped(found, mapped)
    # The leader's next hook maps these. An action that explains changes nothing.
    create = (
        leader_mappings.plan_for(
            client, context.config.declared, context.config.partition, mapped
        ).create
        if context.config.declared.learns
        else ()
    )
    return [
        *refusal_list.lines(
            refusal_list.Log(found, log.unread, log.begin, log.covers),
            looked_up,
            application,
            mapped,
            refusal_list.accounts(mapped, entries),
            [entry for _, entry in create if entry.learns],
        )
    ]

# SPDX-License-Identifier: Apache-2.0

"""`list-mappings`: who may log in, as whom, and what RBAC gives them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import times
from access import desired, logins, table, validity
from access.declaration.declared import Declared
from access.desired import Access
from access.logins import Record
from actions import MAX_BYTES, joined, page
from cluster import api, bindings, login_record, pod_logs, state
from cluster.errors import errors_as_status
from hook import Hook
from juju import control_plane

# How far back, in seconds, there may be logins that the leader has yet to record.
_YET_TO_RECORD = 86_400


def run(params: Mapping[str, Any], hook: Hook) -> Mapping[str, str]:
    """Return ``mappings``, one page of a table or of JSON, and which of how many pages it is.

    ``logins`` says since when logins are known. ``ended`` is there if the charm has ended access
    within a day, ``left-out`` if a part of the option `mappings` has no meaning here,
    ``not-applied`` if one of its entries is not in effect, and ``warning`` if roles do not matter,
    because everybody may do everything.
    """
    declaration, partition = hook.config.declared, hook.config.partition
    unused = times.duration(params["unused"]) if params["unused"] else None
    with errors_as_status():
        client = hook.client
        access = state.access(client, hook.owner)
        found = access.mappings
        bound, warning = bindings.find(client, control_plane.application())
        not_applied = _not_applied(client, declaration, partition, access)
        record = login_record.recent(client, pod_logs.read(client, _YET_TO_RECORD))
    late, known = desired.ended(access, declaration, times.now()), _known(record)
    problems = validity.check_access(access, late, partition).problems
    if unused:
        # A day that has begun counts as a whole one.
        days = -(-unused // timedelta(days=1))
        since = record.begin(days)
        found = tuple(each for each in found if since and logins.is_unused(each, record, since))
        if record.since and not since:
            known += f"; nothing counts as unused before {days} whole days are known"
    listed = table.rows(found, problems, bound, record)
    form = table.jsons if params["format"] == "json" else table.tables
    results = page("mappings", form(listed, MAX_BYTES), params)
    lists = {
        "ended": [
            f"{each.name} ({each.arn}) ended at {each.at}" for each in hook.peers.shared.ended
        ],
        "not-applied": not_applied,
        "left-out": _left_out(declaration),
    }
    results |= {key: joined(lines) for key, lines in lists.items() if lines}
    if warning:
        results["warning"] = warning
    return {**results, "logins": known, "total": f"{len(listed)}"}


def _known(record: Record) -> str:
    if not record.since:
        return (
            "the leader has yet to record logins; if it never does, somebody else made ConfigMap "
            "aws-iam-logins; run: kubectl -n kube-system delete configmap aws-iam-logins"
        )
    return (
        f"known since {record.since}; logins from the API server's cache are not recorded"
        f"{record.gaps_since(None)}"
    )


def _left_out(declaration: Declared) -> list[str]:
    """Return each part of the option that has no effect here; one line if the option is wrong."""
    if declaration.error:
        return [f"everything: {declaration.error}"]
    return [f"{out.place}: {out.reason}" for out in declaration.left_out]


def _not_applied(
    client: api.Client, declaration: Declared, partition: str, found: Access
) -> list[str]:
    """Return each entry of the option that has no mapping, or a role that does not count, and
    why."""
    if not declaration.entries and not declaration.wrong:
        return []
    there = state.needed(client, found, declaration.entries, partition)
    wanted = desired.access(declaration, there, times.now(), partition)
    steps = desired.changes(found, wanted.access)
    made = (*steps.create, *(new for _, new in steps.moved))
    late = {wanted.places[each.name]: "the leader has yet to make it" for each in made}
    return [f"{place}: {reason}" for place, reason in {**wanted.not_applied, **late}.items()]

# SPDX-License-Identifier: Apache-2.0

"""`list-mappings`: who may log in, as whom, and what RBAC gives them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import times
from access import desired, table, validity
from access.declaration.declared import Declared
from access.desired import Access
from actions import MAX_BYTES, joined
from cluster import api, bindings, state
from cluster.errors import errors_as_status
from hook import Hook
from juju import control_plane


def run(params: Mapping[str, Any], hook: Hook) -> Mapping[str, str]:
    """Return ``mappings``, a table or JSON, and their number.

    ``more`` is there if it is cut. ``ended`` is there if the charm has ended access
    within a day, ``left-out`` if a part of the option `mappings` has no meaning here,
    ``not-applied`` if one of its entries is not in effect, and ``warning`` if roles do not matter,
    because everybody may do everything.
    """
    declaration, partition = hook.config.declared, hook.config.partition
    with errors_as_status():
        client = hook.client
        access = state.access(client, hook.owner)
        bound, warning = bindings.find(client, control_plane.application())
        not_applied = _not_applied(client, declaration, partition, access)
    late = desired.ended(access, declaration, times.now())
    problems = validity.check_access(access, late, partition).problems
    listed = table.rows(access.mappings, problems, bound)
    form = table.jsons if params["format"] == "json" else table.table
    text, left = form(listed, MAX_BYTES)
    results = {"mappings": text}
    if left:
        results["more"] = f"and {left:,} more; run: kubectl get iamidentitymappings -o wide"
    left_out = [f"{out.place}: {out.reason}" for out in declaration.left_out]
    if declaration.error:
        left_out = [f"everything: {declaration.error}"]
    lists = {
        "ended": [
            f"{each.name} ({each.arn}) ended at {each.at}" for each in hook.peers.shared.ended
        ],
        "not-applied": not_applied,
        "left-out": left_out,
    }
    results |= {key: joined(lines) for key, lines in lists.items() if lines}
    if warning:
        results["warning"] = warning
    return {**results, "total": f"{len(listed)}"}


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
    made = (*steps.create, *(new for _, new in steps.replace))
    late = {wanted.places[each.name]: "the leader has yet to make it" for each in made}
    return [f"{place}: {reason}" for place, reason in {**wanted.not_applied, **late}.items()]

# SPDX-License-Identifier: Apache-2.0

"""`list-mappings`: who may log in, as whom, and what RBAC gives them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import times
from access import desired, problems, table
from access.declaration.declared import Declared
from access.desired import Access
from actions import MAX_BYTES, joined
from cluster import access, api, bindings, pod_logs
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
    declared, partition = hook.config.declared, hook.config.partition
    with errors_as_status():
        client = hook.client
        found = access.read(client)
        bound, warning = bindings.find(client, control_plane.application())
        not_applied = _not_applied(client, declared, found)
    late = desired.ended(found.mappings, declared, times.now())
    wrong = problems.find(found.mappings, partition, late)
    listed = table.rows(found.mappings, wrong, bound)
    form = table.jsons if params["format"] == "json" else table.table
    text, left = form(listed, MAX_BYTES)
    results = {"mappings": text}
    if left:
        results["more"] = f"and {left:,} more; run: kubectl get iamidentitymappings -o wide"
    lists = {
        "ended": [
            f"{each.name} ({each.arn}) ended at {each.at}" for each in hook.peers.shared.ended
        ],
        "faults": map(str, declared.faults),
        "not-applied": not_applied,
        "left-out": map(str, declared.left_out),
    }
    joint = {key: joined(lines) for key, lines in lists.items()}
    results |= {key: text for key, text in joint.items() if text}
    if warning:
        results["warning"] = warning
    return {**results, "total": f"{len(listed)}"}


def _not_applied(client: api.Client, declared: Declared, found: Access) -> list[str]:
    """Return each entry of the option that has no mapping, and why."""
    if declared.faults or not declared.entries:
        return []
    roles = pod_logs.set_roles(client, declared, found.mappings)
    wanted = desired.access(declared, found, roles, times.now())
    there = {each.name for each in found.mappings}
    made = [each.name for each in wanted.access.mappings if each.name not in there]
    late = {wanted.places[name]: "the leader has yet to make it" for name in made}
    return [f"{place}: {reason}" for place, reason in {**wanted.not_applied, **late}.items()]

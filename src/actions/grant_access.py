# SPDX-License-Identifier: Apache-2.0

"""`grant-access`: let a principal log in, for a while or until it is revoked."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import times
from access import desired, expiry, explanation, grants, table
from access.desired import Access
from access.grants import Grant
from access.mapping import IdentityMapping
from actions import MAX_BYTES, joined
from cluster import api, bindings, objects, state, sync
from cluster.errors import errors_as_status
from errors import Blocked, Unready, Waiting
from hook import Hook
from juju import control_plane
from text import cut, one_line, status_line

# The API server keeps what the authenticator answers for a token.
_CACHED = "; cached tokens keep the old user for up to 1 minute"


def run(params: Mapping[str, Any], hook: Hook) -> Mapping[str, str]:
    """Create the mapping of a grant, or make it what this grant says; return what was done."""
    client, owner, config = hook.client, hook.owner, hook.config
    grant = grants.read(params, config.partition, times.now())
    ends = expiry.end(grant.mapping)
    if ends and not hook.leads:
        raise ValueError(
            f"only the leader ends access in time: run this on {owner.application}/leader"
        )
    with errors_as_status():
        objects.check_owner(client, owner)
        found = state.access(client, owner, newest=True)
        former = grants.former(
            found.mappings, grant, config.declared, owner.application, config.partition
        )
        if ends:
            # Ahead of the write: the access must end although the rest of this fails.
            hook.wake.at_end(ends)
        mapping = _write(hook, found, grant, former)
    return {**_results(grant, former), **_rights(client, mapping)}


def _write(
    hook: Hook, found: Access, grant: Grant, former: IdentityMapping | None
) -> IdentityMapping:
    """Write the mapping and the bindings of its role, and return the mapping.

    Raises:
        errors.Unready: the cluster refuses a part, or nobody knows what it has.
    """
    wanted = grants.wanted(found, grant, former)
    mapping, reason = wanted.mappings[-1], grant.mapping.reason
    steps = desired.changes(found, wanted)
    if former:
        # The reason is no part of what is compared, so this writes the mapping in any case.
        steps = dataclasses.replace(steps, update=((former, mapping),), withdraw=(), activate=())
    why = f"grant-access ({one_line(reason)})" if reason else "grant-access"
    result = sync.make(hook.client, hook.owner, steps, why)
    for left in result.left.values():
        if left.refused:
            what = "lets nobody in"
            if mapping.name not in result.left:
                what = "has not all of its role"
            elif any(each.name == mapping.name for each in result.after.mappings):
                what = "is not as it should be"
            raise Blocked(f"mapping {mapping.name} {what}: the cluster refuses it: {left.why}")
    for left in result.left.values():
        why = left.why or sync.UNSAID
        raise Waiting(f"mapping {mapping.name} may not be as it should, run this again: {why}")
    return mapping


def _results(grant: Grant, former: IdentityMapping | None) -> dict[str, str]:
    mapping = grant.mapping
    results = {
        "result": "changed" if former else "granted",
        "mapping": mapping.name,
        "arn": mapping.arn,
        "username": mapping.username,
        "groups": ", ".join(mapping.groups) or "none",
        "role": ", ".join(map(str, grant.rights)),
        "ends": mapping.expires or "never: for was not given",
        "effective": f"now{_CACHED}" if former else "now",
        "remark": grant.remark,
    }
    if former and former.expires != mapping.expires:
        results["previous-end"] = former.expires or "never"
    return {key: cut(one_line(text), MAX_BYTES) for key, text in results.items() if text}


def _rights(client: api.Client, mapping: IdentityMapping) -> dict[str, str]:
    """Return what RBAC gives to ``mapping``, or why that is not known: it is granted then too."""
    try:
        with errors_as_status():
            # The grant has just made some of them.
            bound, warning = bindings.find(client, control_plane.application(), newest=True)
    except Unready as reason:
        return {"roles": status_line(f"unknown: {reason}")}
    no_role = explanation.no_role(mapping.username, mapping.groups)
    roles = [", ".join(given)] if (given := table.given(mapping, bound)) else no_role
    results = {"roles": joined(roles), "warning": cut(warning, MAX_BYTES)}
    return {key: text for key, text in results.items() if text}

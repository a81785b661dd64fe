# SPDX-License-Identifier: Apache-2.0

"""`grant-access`: let a principal log in, for a while or until it is revoked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import times
from access import explanation, grants, table
from access.desired import Access
from access.grants import Grant
from access.mapping import IdentityMapping
from actions import MAX_BYTES, Failed, check_leads, joined
from cluster import access, api, bindings, objects
from cluster.errors import errors_as_status
from errors import Unready
from hook import Hook
from juju import control_plane
from text import cut, one_line, status_line

# The API server keeps what the authenticator answers for a token.
_CACHED = "; cached tokens keep the old user for up to 1 minute"


def run(params: Mapping[str, Any], hook: Hook) -> Mapping[str, str]:
    """Create the mapping of a grant, or make it what this grant says; return what was done."""
    client, owner, config = hook.client, hook.owner, hook.config
    grant = grants.read(params, config.partition, times.now())
    check_leads(hook)
    with errors_as_status():
        objects.check_owner(client, owner)
        found = access.read(client)
        former = grants.former(found.mappings, grant, config.declared, owner.application)
        if grant.mapping.expires:
            # Ahead of the write: the access must end although the rest of this fails.
            hook.wake.at_end(times.parse(grant.mapping.expires))
        mapping = _write(client, found, grant, former)
    return {**_results(grant, former), **_rights(client, mapping)}


def _write(
    client: api.Client, found: Access, grant: Grant, former: IdentityMapping | None
) -> IdentityMapping:
    """Write the mapping and the bindings of its role, and return the mapping.

    Raises:
        Failed: a part of it is not there.
    """
    wanted, reason = grants.wanted(found, grant, former), grant.mapping.reason
    why = f"grant-access ({one_line(reason)})" if reason else "grant-access"
    for key, cause in access.make(client, found, wanted, why).left.items():
        raise Failed(f"{access.shown(key)} is not as it should be, run this again: {cause.why}")
    return wanted.mappings[-1]


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
            bound, warning = bindings.find(client, control_plane.application())
    except Unready as reason:
        return {"roles": status_line(f"unknown: {reason}")}
    no_role = explanation.no_role(mapping.username, mapping.groups)
    roles = [", ".join(given)] if (given := table.given(mapping, bound)) else no_role
    results = {"roles": joined(roles), "warning": cut(warning, MAX_BYTES)}
    return {key: text for key, text in results.items() if text}

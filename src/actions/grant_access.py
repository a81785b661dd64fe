# SPDX-License-Identifier: Apache-2.0

"""`grant-access`: let a principal log in, for a while or until it is revoked."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import times
from access import desired, expiry, explanation, grants, rights, table
from access.desired import Access
from access.mapping import IdentityMapping
from access.permission_sets import PermissionSet
from actions import MAX_BYTES, joined
from cluster import api, bindings, events, objects, state, sync
from cluster.errors import Conflict, errors_as_status, retry_on_conflict
from errors import Blocked, Unready
from hook import Hook
from juju import control_plane
from labels import GRANT, REASON
from text import cut, one_line, status_line

# The API server keeps what the authenticator answers for a token.
_CACHED = "; cached tokens keep the old user for up to 1 minute"
# How often to try again when others change the mapping in between.
TRIES = 3


def run(params: Mapping[str, Any], hook: Hook) -> Mapping[str, str]:
    """Create the mapping of a grant, or change what is given; return what was done.

    Raises:
        ValueError: a parameter is wrong, or the leader must run this.
        errors.Unready: the option or a person maps the principal, or the cluster does not answer
            or does not let the charm write.
    """
    partition = hook.config.partition
    now = times.now()
    permission_set = grants.permission_set(params)
    client = hook.client
    principal = _role(client, permission_set, partition) if permission_set else params["arn"]
    grant = grants.read(params, principal, partition, now)
    ends = expiry.end(grant.mapping)
    if ends and not hook.leads:
        application = hook.owner.application
        raise ValueError(f"only the leader ends access in time: run this on {application}/leader")
    is_dry = params["dry-run"]
    with errors_as_status():
        _check_rights(client, grant)
        if ends and not is_dry:
            # Ahead of the write: the access must end although the rest of this fails.
            hook.wake.at_end(ends)
        done, former, mapping = retry_on_conflict(
            lambda: _grant(hook, grant, is_dry=is_dry),
            f"others keep changing mapping {grant.mapping.name}, run this again",
            TRIES,
        )
    if done in ("granted", "changed"):
        events.write(client, hook.owner, [_note(done, mapping, grant, former)])
    return {**_results(done, mapping, grant, former), **_rights(client, mapping)}


def _role(client: api.Client, wanted: PermissionSet, partition: str) -> str:
    """Return the ARN of the permission set's role.

    Raises:
        ValueError: the role is not known.
    """
    if wanted.suffix:
        return wanted.role_arn(partition)
    with errors_as_status():
        found = state.mappings(client, newest=True)
        role = state.permission_set_roles(client, [wanted], found, partition).get(wanted)
    if not role:
        raise ValueError(
            f"the role of permission set {wanted} is not known: let somebody try to log in with "
            "it, then run this again, or give suffix"
        )
    return role


def _check_rights(client: api.Client, grant: grants.Grant) -> None:
    """Raise ValueError if the cluster lacks the role that is granted, or its namespace."""
    if not grant.rights:
        return
    there = state.of_rights(client, Access(), grant.rights)
    for _, binding in rights.bindings(grant.mapping.name, grant.rights, GRANT):
        if why := desired.lacking(binding, there):
            raise ValueError(f"role {binding}: {why}")


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


def _grant(
    hook: Hook, grant: grants.Grant, *, is_dry: bool
) -> tuple[str, IdentityMapping | None, IdentityMapping]:
    """Write the mapping and the bindings of its role, unless this is only a dry run. Return what
    that did, the grant that the principal had before, and the mapping to have.

    Raises:
        errors.Conflict: others have changed it in between.
    """
    client, owner, config = hook.client, hook.owner, hook.config
    found = state.access(client, owner, newest=True)
    former = grants.to_replace(
        found.mappings, grant, config.declared.known, owner.application, config.partition
    )
    wanted = grants.wanted(found, grant, former, times.now())
    mapping = wanted.mappings[-1]
    steps = desired.changes(found, wanted)
    if former and not steps.update and not _has_reason(client, former, grant.mapping.reason):
        steps = dataclasses.replace(steps, update=((former, mapping),))
    if steps == desired.Changes():
        return "unchanged", former, mapping
    if is_dry:
        return "would change" if former else "would grant", former, mapping
    result = sync.make(client, owner, steps)
    for key, reason in result.refused.items():
        is_out = mapping.name in {key, *result.unfinished}
        what = "lets nobody in" if is_out else "has not all of its role"
        raise Blocked(f"mapping {mapping.name} {what}: the cluster refuses it: {reason}")
    if result.unfinished:
        raise Conflict(f"mapping {mapping.name} has changed")
    return "changed" if former else "granted", former, mapping


def _has_reason(client: api.Client, former: IdentityMapping, reason: str) -> bool:
    """Return whether a grant has this reason already, or is given none."""
    stored = client.get(objects.mapping(), former.name) if reason else None
    return not stored or objects.annotations_of(stored).get(REASON) == reason


def _note(
    done: str, mapping: IdentityMapping, grant: grants.Grant, former: IdentityMapping | None
) -> events.Note:
    ends = f"until {mapping.expires}" if mapping.expires else "until it is revoked"
    why = f", because: {mapping.reason}" if mapping.reason else ""
    shared = grants.shared_groups(mapping)
    groups = f", groups {', '.join(shared)}" if shared else ""
    role = f", {', '.join(map(str, grant.rights))}" if grant.rights else ""
    who = f"{mapping.arn} {ends} as {mapping.username}{groups}{role}"
    text = f"grant-access {done} access of {who}{why}"
    reason = "AccessChanged" if former else "AccessGranted"
    return events.Note(reason, "Grant", mapping, text)


def _results(
    done: str, mapping: IdentityMapping, grant: grants.Grant, former: IdentityMapping | None
) -> dict[str, str]:
    kept = {
        "groups": bool(grants.shared_groups(mapping)) and not grant.mapping.groups,
        "role": rights.has_own_group(mapping) and not grant.rights,
        "ends": bool(mapping.expires) and not grant.mapping.expires,
    }
    results = {
        "result": done,
        "mapping": mapping.name,
        "arn": grant.mapping.arn,
        "username": mapping.username,
        "groups": ", ".join(grants.shared_groups(mapping)) or "none",
        "role": ", ".join(map(str, grant.rights)),
        "ends": mapping.expires or "never: for was not given",
        "kept": ", ".join(name for name, is_kept in kept.items() if former and is_kept),
        "effective": "" if done.startswith("would") else f"now{_CACHED}" if former else "now",
        "remark": grant.remark,
    }
    if former and former.expires != mapping.expires:
        results["previous-end"] = former.expires or "never"
    return {key: cut(one_line(text), MAX_BYTES) for key, text in results.items() if text}

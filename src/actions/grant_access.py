# SPDX-License-Identifier: Apache-2.0

"""`grant-access`: let a principal log in, for a while or until it is revoked."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import access_changes
import times
from access import desired, expiry, explanation, grants, rights, table
from access.desired import Access, Changes
from access.mapping import IdentityMapping
from access.permission_sets import PermissionSet
from access_changes import BY_GRANT
from actions import MAX_BYTES, joined
from cluster import api, bindings, objects, state, sync
from cluster.errors import errors_as_status
from cluster.sync import Result
from errors import Blocked, Unready, Waiting
from hook import Hook
from juju import control_plane
from labels import GRANT, REASON
from text import cut, one_line, status_line

# The API server keeps what the authenticator answers for a token.
_CACHED = "; cached tokens keep the old user for up to 1 minute"
# How often to try again when others change the mapping in between, or an answer is lost.
TRIES = 3


def run(params: Mapping[str, Any], hook: Hook) -> Mapping[str, str]:
    """Create the mapping of a grant, or change what is given; return what was done."""
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
        objects.check_owner(client, hook.owner)
        _check_rights(client, grant)
        if ends and not is_dry:
            # Ahead of the write: the access must end although the rest of this fails.
            hook.wake.at_end(ends)
        done, former, mapping = _grant(hook, grant, is_dry=is_dry)
    results = {**_results(done, mapping, grant, former), **_rights(client, mapping)}
    if is_dry and grant.rights:
        # The cluster has yet to bind this role, and may still bind the former one.
        del results["roles"]
    return results


def _role(client: api.Client, wanted: PermissionSet, partition: str) -> str:
    """Return the ARN of the permission set's role. Raise ValueError if the role is not known."""
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
            # The grant has just made some of them.
            bound, warning = bindings.find(client, control_plane.application(), newest=True)
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

    Where an answer is lost, or others act in between, this decides anew on what is there then.

    Raises:
        errors.Unready: the cluster refuses a part, or nobody knows what it has.
    """
    former, steps = _decide(hook, grant)
    mapping = steps.wanted.mappings[-1]
    if not steps.keys:
        return "unchanged", former, mapping
    if is_dry:
        return "would change" if former else "would grant", former, mapping
    first, after = steps.before, steps.before
    try:
        result = Result(first, first)
        for _ in range(TRIES):
            result = sync.make(hook.client, hook.owner, steps, BY_GRANT)
            after = result.after
            _check(result, mapping)
            if not result.left and result.is_sure:
                break
            _, steps = _decide(hook, grant)
            after, mapping = steps.before, steps.wanted.mappings[-1]
            if not steps.keys:
                break
        else:
            raise Waiting(_unsure(result, mapping))
    finally:
        reason = grant.mapping.reason
        access_changes.tell(hook, first, after, {mapping.name}, BY_GRANT, reason)
    return "changed" if former else "granted", former, mapping


def _unsure(result: Result, mapping: IdentityMapping) -> str:
    """Return why nobody knows what has become of ``mapping``."""
    whys = [left.why for left in result.left.values() if left.why]
    why = whys[0] if whys else "others keep changing it"
    return f"mapping {mapping.name} may not be as it should, run this again: {why}"


def _decide(hook: Hook, grant: grants.Grant) -> tuple[IdentityMapping | None, Changes]:
    """Return the grant that the principal has, and the changes to make."""
    client, owner, config = hook.client, hook.owner, hook.config
    found = state.access(client, owner, newest=True)
    former = grants.to_replace(
        found.mappings, grant, config.declared.known, owner.application, config.partition
    )
    wanted = grants.wanted(found, grant, former, times.now())
    steps = desired.changes(found, wanted)
    if former and not steps.update and not _has_reason(client, former, grant.mapping.reason):
        steps = dataclasses.replace(steps, update=((former, wanted.mappings[-1]),))
    return former, steps


def _check(result: Result, mapping: IdentityMapping) -> None:
    """Raise `errors.Blocked` if the cluster refuses the ``mapping``, or one of its bindings."""
    for left in result.left.values():
        if left.refused:
            what = "lets nobody in"
            if mapping.name not in result.left:
                what = "has not all of its role"
            elif any(each.name == mapping.name for each in result.after.mappings):
                what = "is not as it should be"
            text = f"mapping {mapping.name} {what}: the cluster refuses it: {left.why}"
            raise Blocked(text)


def _has_reason(client: api.Client, former: IdentityMapping, reason: str) -> bool:
    """Return whether a grant has this reason already, or is given none."""
    stored = client.get(objects.mapping(), former.name) if reason else None
    return not stored or objects.annotations_of(stored).get(REASON) == reason


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

# SPDX-License-Identifier: Apache-2.0

"""`grant-access`: let a principal log in, for a while or until it is revoked."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import labels
import times
from access import expiry, explanation, grants, rights, table
from access.declaration.declared import Entry
from access.mapping import IdentityMapping
from access.permission_sets import PermissionSet
from actions import MAX_BYTES, Context, granted_role
from cluster import api, bindings, events
from cluster.errors import Conflict, errors_as_status, retry_on_conflict
from cluster.mappings import canonical, listing, single
from errors import Blocked, Unready
from juju import control_plane
from labels import EXPIRES
from leader import mappings as leader_mappings
from owner import Owner
from text import cut, one_line, status_line

# The API server keeps what the authenticator answers for a token.
_CACHED = "; a token that has just been accepted may keep its former user for another minute"
# How often to try again when others change the mapping in between.
TRIES = 3


def run(params: Mapping[str, Any], context: Context) -> Mapping[str, str]:
    """Create the mapping of a grant, or change it to what is granted now; return what was done.

    Raises:
        ValueError: a parameter is wrong, or the leader must run this.
        errors.Unready: the option or a person maps the principal, or the cluster does not answer
            or does not let the charm write.
    """
    partition = context.config.partition
    now = times.now()
    wanted = grants.permission_set(params)
    client = api.connect(context.machine.admin_kubeconfig)
    principal = _role(client, wanted, partition) if wanted else params["arn"]
    grant = grants.read(params, principal, partition, now)
    ends = expiry.end(grant.mapping)
    if ends and not context.leads:
        application = context.owner.application
        raise ValueError(f"only the leader ends access in time: run this on {application}/leader")
    entries = context.config.declared.known
    with errors_as_status():
        granted_role.check(client, grant.rights)
        if params["dry-run"]:
            found = listing.find(client, newest=True)
            former = grants.to_replace(found, grant, entries, context.owner.application, partition)
            mapping = _final(grant, former)
            done = "would change" if former else "would grant"
        else:
            if ends:
                # Ahead of the write: the access must end although the rest of this fails.
                context.ring_at(ends)
            done, former, mapping = retry_on_conflict(
                lambda: _write(client, grant, entries, context.owner, partition),
                f"others keep changing mapping {grant.mapping.name}, run this again",
                TRIES,
            )
    if not params["dry-run"]:
        events.write(client, context.owner, [_note(done, grant, former)])
    return {**_results(done, grant, former), **_rights(client, mapping)}


def _role(client: api.Client, wanted: PermissionSet, partition: str) -> str:
    """Return the ARN of the permission set's role.

    Raises:
        ValueError: the role is not known.
    """
    if wanted.suffix:
        return wanted.role_arn(partition)
    with errors_as_status():
        found = listing.find(client, newest=True)
        role = leader_mappings.permission_set_roles(client, [wanted], found, partition).get(wanted)
    if not role:
        raise ValueError(
            f"the role of permission set {wanted} is not known: let somebody try to log in with "
            "it, then run this again, or give suffix"
        )
    return role


def _rights(client: api.Client, mapping: IdentityMapping) -> dict[str, str]:
    """Return what RBAC gives to ``mapping``, or why that is not known: it is granted then too."""
    try:
        with errors_as_status():
            bound, warning = bindings.find(client, control_plane.application())
    except Unready as reason:
        return {"roles": status_line(f"unknown: {reason}")}
    no_role = explanation.no_role(mapping.username, mapping.groups)
    roles = [", ".join(given)] if (given := table.given(mapping, bound)) else no_role
    results = {"roles": "\n".join(map(one_line, roles)), "warning": warning}
    return {key: cut(text, MAX_BYTES) for key, text in results.items() if text}


def _write(
    client: api.Client,
    grant: grants.Grant,
    entries: Sequence[Entry] | None,
    owner: Owner,
    partition: str,
) -> tuple[str, IdentityMapping | None, IdentityMapping]:
    """Write the mapping and the bindings of its rights. Return what that did, the grant that the
    principal had before, and the mapping as it is now.

    Raises:
        errors.Conflict: others have changed it in between.
    """
    annotations = {labels.OWNER: owner.mark, EXPIRES: grant.mapping.expires or None}
    if grant.reason:
        annotations[labels.REASON] = grant.reason
    found = listing.find(client, newest=True)
    former = grants.to_replace(found, grant, entries, owner.application, partition)
    wanted = _final(grant, former)
    if grant.rights or (former and rights.has_own_group(former)):
        # While the mapping has the group, a later grant still finds what is bound to it. Where
        # somebody took the group out, or left bindings of a deleted mapping, this grant would give
        # the former role with it.
        granted_role.take_back(client, owner, wanted.name, grant.rights)
    if not former:
        uid = single.create(client, wanted, annotations)
    elif stored := single.read(client, former.name):
        uid = stored.mapping.uid
        single.change(client, stored, wanted, annotations)
    else:
        raise Conflict(f"mapping {former.name} is gone")
    written = canonical.write_all(
        client, [wanted], {wanted.name: wanted.canonical}, client.seconds_left_to_write
    )
    if reason := written.refused.get(wanted.name):
        raise Blocked(f"mapping {wanted.name} is there, but lets nobody in: {reason}")
    granted_role.give(client, owner, wanted.name, uid, grant.rights)
    return "changed" if former else "granted", former, dataclasses.replace(wanted, uid=uid)


def _final(grant: grants.Grant, former: IdentityMapping | None) -> IdentityMapping:
    """Return the mapping to write: the ``former`` grant keeps its name, and its ARN cannot change,
    so it stays spelt as it is."""
    mapping = grant.mapping
    if former:
        mapping = dataclasses.replace(mapping, name=former.name, arn=former.arn)
    return grants.with_rights(mapping, grant.rights)


def _note(done: str, grant: grants.Grant, former: IdentityMapping | None) -> events.Note:
    wanted = grant.mapping
    ends = f"until {wanted.expires}" if wanted.expires else "until it is revoked"
    why = f", because: {grant.reason}" if grant.reason else ""
    groups = f", groups {', '.join(wanted.groups)}" if wanted.groups else ""
    role = f", {', '.join(map(str, grant.rights))}" if grant.rights else ""
    who = f"{wanted.arn} {ends} as {wanted.username}{groups}{role}"
    text = f"grant-access {done} access of {who}{why}"
    reason = "AccessChanged" if former else "AccessGranted"
    return events.Note(reason, "Grant", former or wanted, text)


def _results(done: str, grant: grants.Grant, former: IdentityMapping | None) -> dict[str, str]:
    wanted = grant.mapping
    results = {
        "result": done,
        "mapping": former.name if former else wanted.name,
        "arn": wanted.arn,
        "username": wanted.username,
        "groups": ", ".join(wanted.groups) or "none",
        "role": ", ".join(map(str, grant.rights)),
        "ends": wanted.expires or "never: for was not given",
        "counts-from": f"now{_CACHED}" if former else "now",
        "remark": grant.remark,
    }
    if former and former.expires:
        results["ended-before"] = former.expires
    return {key: cut(one_line(text), MAX_BYTES) for key, text in results.items() if text}

"""`grant-access`: let a principal log in, for a while or until it is revoked."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import clock
from access import expiry, grants
from access.declared import Entry
from access.mappings import EXPIRES, IdentityMapping
from actions import MAX_BYTES, Context
from cluster import api, identity_mappings, manifests, single_mapping
from errors import Blocked, Waiting, cut, one_line

# How often to try again when others change the mapping in between.
TRIES = 3


def run(params: Mapping[str, Any], context: Context) -> Mapping[str, str]:
    """Create the mapping of a grant, or change it to what is granted now; return what was done.

    Raises:
        ValueError: a parameter is wrong, or the leader must run this.
        errors.Unready: the option or a person maps the principal, or the cluster does not answer
            or does not let the charm write.
    """
    partition = str(context.options["partition"])
    now = clock.now()
    grant = grants.read(params, partition, now)
    ends = expiry.end(grant.mapping)
    if ends and not context.leads:
        application = context.owner.application
        raise ValueError(f"only the leader ends access in time: run this on {application}/leader")
    entries = grants.declared_entries(str(context.options["mappings"]), now)
    with api.errors_as_status():
        client = api.connect(context.machine.admin_kubeconfig)
        if params["dry-run"]:
            found = identity_mappings.find(client, newest=True)
            former = grants.to_replace(found, grant, entries)
            return _results("would change" if former else "would grant", grant, former)
        if ends:
            # Ahead of the write: the access must end although the rest of this fails.
            context.ring_at(ends)
        done, former = _write(client, grant, entries, context.owner.mark)
    return _results(done, grant, former)


def _write(
    client: api.Client, grant: grants.Grant, entries: Sequence[Entry] | None, owner: str
) -> tuple[str, IdentityMapping | None]:
    """Write the mapping; return what that did, and the grant that the principal had before."""
    wanted = grant.mapping
    annotations = {manifests.OWNER: owner, EXPIRES: wanted.expires or None}
    if grant.reason:
        annotations[grants.REASON] = grant.reason
    for _ in range(TRIES):
        found = identity_mappings.find(client, newest=True)
        former = grants.to_replace(found, grant, entries)
        try:
            if not former:
                single_mapping.create(client, wanted, annotations)
            elif stored := single_mapping.read(client, former.name):
                # A mapping's ARN cannot change, so it stays spelt as it is.
                wanted = dataclasses.replace(wanted, name=former.name, arn=former.arn)
                single_mapping.change(client, stored, wanted, annotations)
            else:
                continue
        except single_mapping.ChangedError:
            continue
        written = identity_mappings.write_canonical_arns(
            client, [wanted], {wanted.name: wanted.canonical}, client.seconds_left_to_write
        )
        if reason := written.refused.get(wanted.name):
            raise Blocked(f"mapping {wanted.name} is there, but lets nobody in: {reason}")
        return "changed" if former else "granted", former
    raise Waiting(f"others keep changing mapping {wanted.name}, run this again")


def _results(done: str, grant: grants.Grant, former: IdentityMapping | None) -> dict[str, str]:
    wanted = grant.mapping
    results = {
        "result": done,
        "mapping": former.name if former else wanted.name,
        "arn": wanted.arn,
        "username": wanted.username,
        "groups": ", ".join(wanted.groups) or "none",
        "ends": wanted.expires or "never: for was not given",
        "counts-from": "now",
        "remark": grant.remark,
    }
    if former and former.expires:
        results["ended-before"] = former.expires
    return {key: cut(one_line(text), MAX_BYTES) for key, text in results.items() if text}

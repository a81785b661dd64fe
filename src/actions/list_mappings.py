# SPDX-License-Identifier: Apache-2.0

"""`list-mappings`: who may log in, as whom, and what RBAC gives them."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import times
from access import logins, mappings, table
from access.declaration.declared import Declared
from access.logins import NO_RECORD, Record
from access.mapping import IdentityMapping
from actions import MAX_BYTES, Context
from cluster import api, bindings, login_record, pod_logs
from cluster.errors import errors_as_status
from cluster.mappings import listing
from juju import control_plane
from leader import logins as leader_logins
from leader import mappings as leader_mappings
from leader import rights
from text import cut, one_line


def run(params: Mapping[str, Any], context: Context) -> Mapping[str, str]:
    """Return ``mappings``, one page of a table or of JSON, and which of how many pages it is.

    ``logins`` says since when logins are known. ``ended`` is there if the charm has ended access
    within a day, ``left-out`` if a part of the option `mappings` has no meaning here,
    ``not-applied`` if one of its entries is not in effect, and ``warning`` if roles do not matter,
    because everybody may do everything.

    Raises:
        ValueError: there is no such page, or ``unused`` is no duration.
        errors.Unready: the API server does not answer as it should.
    """
    declaration, partition = context.config.declared, context.config.partition
    unused = times.duration(params["unused"]) if params["unused"] else None
    with errors_as_status():
        client = api.connect(context.machine.admin_kubeconfig)
        found = listing.find(client)
        bound, warning = bindings.find(client, control_plane.application())
        not_applied = _not_applied(client, context, declaration, found)
        record = _logins(client)
    report = mappings.check(found, partition)
    if unused:
        since = times.now().date() - unused
        found = [mapping for mapping in found if logins.is_unused(mapping, record, since)]
    listed = table.rows(found, report.problems, bound, record)
    form = table.jsons if params["format"] == "json" else table.tables
    pages = form(listed, MAX_BYTES)
    page = int(params["page"])
    if not 1 <= page <= len(pages):
        raise ValueError(f"there is no page {page}: give page=1 to page={len(pages)}")
    results = {"warning": warning} if warning else {}
    if ended := context.shared.ended:
        lines = (f"{each.name} ({each.arn}) ended at {each.at}" for each in ended)
        results["ended"] = cut("\n".join(map(one_line, lines)), MAX_BYTES)
    if not_applied:
        results["not-applied"] = cut("\n".join(map(one_line, not_applied)), MAX_BYTES)
    if left_out := _left_out(declaration):
        results["left-out"] = cut("\n".join(map(one_line, left_out)), MAX_BYTES)
    return {
        **results,
        "logins": _known(record),
        "mappings": pages[page - 1],
        "page": f"{page}",
        "pages": str(len(pages)),
        "total": str(len(listed)),
    }


def _logins(client: api.Client) -> Record:
    """Return what is recorded of logins, with those that the leader has yet to record."""
    stored = login_record.read(client) or NO_RECORD
    log = pod_logs.read(client, int(leader_logins.LONGEST.total_seconds()))
    found = logins.parse(log.lines, log.since, log.end)
    recent = logins.updated(stored, found, log.end.date())
    return dataclasses.replace(recent, since=stored.since)


def _known(record: Record) -> str:
    if not record.since:
        return (
            "the leader has yet to record logins; if it never does, somebody else made ConfigMap "
            "aws-iam-logins; run: kubectl -n kube-system delete configmap aws-iam-logins"
        )
    return f"known since {record.since}; what the API server remembers for a while does not count"


def _left_out(declaration: Declared) -> list[str]:
    """Return each part of the option that has no effect here; one line if the option is wrong."""
    if declaration.error:
        return [f"everything: {declaration.error}"]
    return [f"{out.place}: {out.reason}" for out in declaration.left_out]


def _not_applied(
    client: api.Client,
    context: Context,
    declared: Declared,
    found: Sequence[IdentityMapping],
) -> list[str]:
    """Return each entry of the option that has no mapping, or a role that does not count, and
    why."""
    entries = declared.entries
    if not entries and not declared.wrong:
        return []
    changes = leader_mappings.plan_for(client, declared, context.config.partition, found)
    waiting = {entry.place: "the leader has yet to make it" for _, entry in changes.create}
    without: dict[str, str] = {}
    if rights.are_declared(entries, found):
        without = rights.Rights(client, context.owner, entries, changes, found).problems()
    reasons = {**changes.not_applied, **waiting, **without}
    return [f"{place}: {reason}" for place, reason in reasons.items()]

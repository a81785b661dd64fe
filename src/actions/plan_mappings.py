# SPDX-License-Identifier: Apache-2.0

"""`plan-mappings`: what another text of the option `mappings` would change; it changes nothing."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import times
from access import desired, mappings
from access.declaration import preview
from actions import MAX_BYTES, Context, page
from cluster import api, state
from cluster.errors import errors_as_status
from leader import administrators
from statuses import options
from text import cut


def run(params: Mapping[str, Any], context: Context) -> Mapping[str, str]:
    """Return ``plan``, one page of a table, and the number of each kind of change.

    ``warning`` is there if no mapping could certainly administer the cluster after that.

    Raises:
        ValueError: the text is wrong, as the status would say, or there is no such page.
        errors.Unready: the API server does not answer as it should.
    """
    config = dataclasses.replace(context.config, mappings=params["mappings"])
    declared, partition = config.declared, config.partition
    if declared.error:
        raise ValueError(options.MAPPINGS_INVALID(problem=declared.error))
    with errors_as_status():
        client = api.connect(context.machine.admin_kubeconfig)
        found = state.access(client, context.owner, newest=True)
        there = state.of(client, found, declared.entries, partition)
        wanted = desired.of(declared, there, times.now(), partition)
        steps = desired.changes(found, wanted.access)
        warning = administrators.last(client, partition, found, wanted.access, steps)
    known = mappings.check(found.mappings, partition).problems
    after = mappings.check(wanted.access.mappings, partition).problems
    problems = {name: problem for name, problem in after.items() if name not in known}
    rows = preview.rows(declared, wanted, steps, problems)
    results = page("plan", preview.tables(rows, MAX_BYTES), params)
    if warning:
        results["warning"] = cut(warning, MAX_BYTES)
    return {**results, **preview.counts(rows)}

# SPDX-License-Identifier: Apache-2.0

"""`plan-mappings`: what another text of the option `mappings` would change; it changes nothing."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from access import administrators, mappings
from access.declaration import preview
from actions import MAX_BYTES, Context
from cluster import api
from cluster.errors import errors_as_status
from cluster.mappings import listing
from leader import mappings as leader_mappings
from leader import rights
from statuses import options
from text import cut


def run(params: Mapping[str, Any], context: Context) -> Mapping[str, str]:
    """Return ``plan``, one page of a table, and the number of each kind of change.

    ``warning`` is there if no mapping could administer the cluster after that.

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
        found = listing.find(client, newest=True)
        plan = leader_mappings.plan_for(client, declared, partition, found)
        granting = None
        if rights.are_declared(declared.entries, found):
            granting = rights.Rights(client, context.owner, declared.entries, plan, found)
        changed = granting.differences() if granting else {}
        taken = leader_mappings.last_administrators(client, partition, found, plan, granting)
    known = mappings.check(found, partition).problems
    problems = {
        name: problem
        for name, problem in mappings.check(plan.after, partition).problems.items()
        if name not in known
    }
    rows = preview.rows(declared, plan, found, problems, changed)
    pages = preview.tables(rows, MAX_BYTES)
    page = int(params["page"])
    if not 1 <= page <= len(pages):
        raise ValueError(f"there is no page {page}: give page=1 to page={len(pages)}")
    warning = administrators.warning(taken)
    return {
        **({"warning": cut(warning, MAX_BYTES)} if warning else {}),
        "plan": pages[page - 1],
        **preview.counts(rows),
        "page": f"{page}",
        "pages": str(len(pages)),
    }

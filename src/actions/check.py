# SPDX-License-Identifier: Apache-2.0

"""`check`: the way of a login, step by step, with what fixes a step that fails."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import kubeconfigs
from access import partitions
from actions import MAX_BYTES, Context, Failed
from checks import flow
from checks.outcome import Names, Site, State
from juju import control_plane
from text import cut


def run(params: Mapping[str, Any], context: Context) -> Mapping[str, str]:
    """Return a result for each step, and ``result``, which sums them up.

    Raises:
        ValueError: a parameter is wrong.
        Failed: a step failed.
    """
    partition, region = context.config.partition, str(params.get("region", ""))
    partitions.check(partition)
    if region:
        kubeconfigs.login(context.shared.cluster_id, {"region": region}, partition)
    found = flow.run(
        Site(
            context.machine,
            context.owner,
            context.shared,
            partition,
            region,
            context.use,
            Names(context.unit, control_plane.principal_unit()),
        )
    )
    results = {name: cut(f"{outcome}", MAX_BYTES) for name, outcome in found.items()}
    broken = [name for name, outcome in found.items() if outcome.state == State.FAILED]
    unknown = [name for name, outcome in found.items() if outcome.state == State.NOT_CHECKED]
    result = "; ".join(filter(None, (_listed("failed", broken), _listed("not checked", unknown))))
    results["result"] = result or f"all {len(found)} steps are ok"
    if broken:
        raise Failed(results["result"], results)
    return results


def _listed(what: str, names: list[str]) -> str:
    return f"{what}: {', '.join(names)}" if names else ""

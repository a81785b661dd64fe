# SPDX-License-Identifier: Apache-2.0

"""`check`: the way of a login, step by step, with what fixes a step that fails."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from actions import MAX_BYTES, Failed, get_kubeconfig
from checks import (
    Outcome,
    Site,
    StepState,
    at_once,
    end_to_end,
    failed,
    kubernetes,
    not_checked,
    pods,
    sts,
    webhook,
)
from cluster.errors import errors_as_status
from errors import Unready, Waiting
from hook import Hook
from juju import control_plane
from text import cut

# The steps, in the order of a login.
KUBERNETES, PODS, WEBHOOK, STS, END_TO_END = STEPS = (
    "1-kubernetes",
    "2-pods",
    "3-webhook",
    "4-sts",
    "5-end-to-end",
)
# How long all of it may take. The authenticator itself waits for STS for 10 seconds.
SECONDS = 12.5
_LATE = Waiting("the Kubernetes API does not answer in time")


def run(params: Mapping[str, Any], hook: Hook) -> Mapping[str, str]:
    """Return a result for each step, and ``result``, which sums them up."""
    shared, partition = hook.peers.shared, hook.config.partition
    region = get_kubeconfig.token_command("", params, partition, shared.region).region
    site = Site(hook.machine, hook.owner, shared, control_plane.principal_unit(), region)
    found = _steps(site, hook.use)
    results = {name: cut(f"{found[name]}", MAX_BYTES) for name in STEPS}
    broken = _in(StepState.FAILED, found, STEPS)
    unknown = _in(StepState.NOT_CHECKED, found, STEPS)
    lists = {"failed": broken, "not checked": unknown}
    result = "; ".join(f"{what}: {', '.join(names)}" for what, names in lists.items() if names)
    results["result"] = result or f"all {len(STEPS)} steps are ok"
    if broken:
        raise Failed(results["result"], results)
    return results


def _in(state: StepState, found: Mapping[str, Outcome], steps: Sequence[str]) -> list[str]:
    return [name for name in steps if found[name].state == state]


def _steps(site: Site, use: Callable[[], control_plane.Use]) -> dict[str, Outcome]:
    """Run all steps in bounded time, and return their outcomes by their names."""
    deadline = time.monotonic() + SECONDS
    late = kubernetes.unreachable(_LATE, site)
    # Hook tools and files: neither waits for anybody.
    found = {WEBHOOK: webhook.check(site, use)}
    found[KUBERNETES], client = kubernetes.check(site, SECONDS)
    if not client:
        why = not_checked("Kubernetes does not answer, see step 1")
        return {**dict.fromkeys(STEPS, why), **found}
    try:
        with errors_as_status():
            seen = pods.look(client, site)
    except Unready as problem:
        return {**dict.fromkeys(STEPS, kubernetes.unreachable(problem, site)), **found}
    found[PODS] = seen.outcome
    steps: dict[str, Callable[[], Outcome]] = {
        STS: lambda: sts.check(site, client, seen, deadline),
        END_TO_END: lambda: end_to_end.check(site, client, seen, deadline),
    }
    found = {**dict.fromkeys(STEPS, late), **found, **at_once(steps, deadline)}
    # While an earlier step fails, no login arrives, so that one comes first.
    broken = _in(StepState.FAILED, found, (PODS, WEBHOOK))
    last = found[END_TO_END]
    if last.state == StepState.FAILED and broken:
        found[END_TO_END] = failed(last.seen, f"fix {broken[0]} first")
    return found

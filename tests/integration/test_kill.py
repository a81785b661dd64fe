"""A hook may die at any instruction: the next one completes its work, without a person.

The steps are a first deployment, a change of the authority, and a removal. In each step, the hook
process is killed once at every point: at every hook-tool call, and after every write to
Kubernetes. Juju retries the failed hook, as it always does, and retries are killed too: in one run
every hook dies at its first call, then a third later, then after two thirds; in the next run at
its second call, and so on. Every run must end as the undisturbed one did: the same objects in the
cluster, files, relation data and status.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator
from typing import Any

import jubilant
import pytest
from tests.integration.helpers import testbed_only
from tests.integration.kill.site import Site
from tests.integration.kill.sweep import AUTHORITY, DEPLOYMENT, REMOVAL, Sweep

from testbed.faults.client import Faults

pytestmark = [pytest.mark.slow, pytest.mark.timeout(3 * 3600)]


@pytest.fixture(scope="module")
def sweep(request: pytest.FixtureRequest) -> Iterator[Sweep]:
    """Return the sweep, once it has tried every point."""
    testbed_only.require("only the testbed kills a hook at a chosen call")
    capture: Any = request.config.pluginmanager.getplugin("capturemanager")
    began = time.monotonic()

    def say(text: str) -> None:
        with capture.global_and_fixture_disabled():
            print(f"\n[{time.monotonic() - began:4.0f} s] {text}", end="", flush=True)

    with contextlib.ExitStack() as stack:
        # A site waits half of the time: for pods, or for Juju to retry a hook.
        sites = [_site(stack) for _ in range(2 * (os.cpu_count() or 1))]
        for site in sites:
            stack.callback(site.close)
        chosen = _chosen(request)
        if sites[0].juju.version().tuple >= (4,):
            chosen -= {REMOVAL}
        sweep = Sweep(sites, say, spared={DEPLOYMENT, AUTHORITY, REMOVAL} - chosen)
        sweep.run()
        for step, results in sweep.results.items():
            points = sum(r.points.total() for r in results.values())
            tried = points - sum(r.missing.total() for r in results.values())
            good = (r for r in results.values() if not r.problem)
            converged = sum((r.points - r.missing).total() for r in good)
            say(f"{step}: {points} points, {tried} tried, {converged} converged")
        yield sweep


def _chosen(request: pytest.FixtureRequest) -> set[str]:
    """Return the steps whose tests are to run."""
    tests = [test for test in request.session.items if test.path == request.path]
    return {
        str(test.callspec.params["step"]) for test in tests if isinstance(test, pytest.Function)
    }


def _site(stack: contextlib.ExitStack) -> Site:
    juju = stack.enter_context(jubilant.temp_model())
    assert juju.model
    return Site(juju, stack.enter_context(Faults(juju.model, "aws-iam")))


@pytest.mark.parametrize(
    "step", [DEPLOYMENT, pytest.param(AUTHORITY, marks=pytest.mark.weekly), REMOVAL]
)
def test_given_a_hook_killed_at_any_point_when_juju_retries_it_then_the_result_is_the_same(
    sweep: Sweep, step: str
) -> None:
    if step in sweep.spared:
        pytest.skip("on Juju 4 a unit that goes may run no hook after a failed one")
    results = sweep.results[step]

    assert sum(result.points.total() for result in results.values()) > 50
    assert {wave: r.missing for wave, r in results.items() if r.missing} == {}
    assert [problem for problem in sweep.problems if problem.startswith(step)] == []

"""A rollout in whole hooks: what the unit says, when it looks again, and what it publishes."""

from __future__ import annotations

import httpx2
import ops
from tests.fakes.juju.model import Model
from tests.fakes.kubernetes.faults import unreachable
from tests.fakes.kubernetes.paths import DEPLOYMENT
from tests.fakes.kubernetes.pods import waiting
from tests.fakes.kubernetes.server import FakeCluster


def test_given_an_image_that_cannot_be_pulled_when_a_hook_runs_then_the_unit_looks_again(
    deployed: Model, api: FakeCluster
):
    api.start_seconds = None
    api.add_pod("a", containerStatuses=waiting("ErrImagePull", "no such host"))
    deployed.config = {"image": "r.example/a:v2"}

    status = deployed.hook()

    assert status.message == "an authenticator pod cannot start: 'ErrImagePull: no such host'"
    assert deployed.units[0].alarms, "no alarm is set, so nobody looks at the next try"


def test_given_a_hook_that_failed_during_its_rollout_when_another_runs_then_it_looks_once(
    model: Model, api: FakeCluster
):
    api.start_seconds = 15
    model.hook()
    api.fail(unreachable(httpx2.ReadTimeout), request=f"GET {DEPLOYMENT}", nth=3)
    model.settle()
    api.recover()
    before = api.clock.now

    assert model.hook().name == "waiting"
    assert api.clock.now - before < 5
    assert model.units[0].alarms
    api.clock.now += 15
    assert isinstance(model.hook(), ops.ActiveStatus)


def test_given_one_pod_of_two_that_serves_when_a_hook_runs_then_the_control_plane_may_use_it(
    model: Model, api: FakeCluster
):
    api.start_seconds = None
    model.settle()
    assert model.published()["webhook_status"] is False
    api.objects[DEPLOYMENT]["status"]["availableReplicas"] = 1

    assert model.hook().name == "waiting"
    assert model.published()["webhook_status"] is True

"""What no event of Juju announces: the unit's alarm clock has it look again by itself."""

from __future__ import annotations

import datetime

import httpx2
import ops
import ops.testing
import pytest
from tests.unit.conftest import Files
from tests.unit.fake_cluster import DEPLOYMENT, SERVICE, FakeCluster
from tests.unit.faults import Answer, refusal, unreachable
from tests.unit.model import Easyrsa, Model


@pytest.fixture
def slow(model: Model, api: FakeCluster) -> Model:
    """Deployed, and its pods take two minutes to start."""
    api.start_seconds = 120
    model.settle()
    return model


def due(model: Model, unit: int = 0) -> list[float]:
    """Return in how many seconds of the clock the unit's alarms ring."""
    return [secret.expire.timestamp() for secret in model.units[unit].secrets]


def ring(model: Model, api: FakeCluster, unit: int = 0) -> ops.StatusBase:
    """Go on to the time of the unit's alarm, and run its hook."""
    (at,) = due(model, unit)
    api.clock.now = max(api.clock.now, at)
    model.expire("alarm", unit)
    return model.units[unit].status


def test_given_pods_that_start_slowly_when_alarms_ring_then_the_unit_turns_active_by_itself(
    slow: Model, api: FakeCluster
):
    rings = 0
    while ring(slow, api).name != "active":
        rings += 1
        assert rings < 10

    assert api.clock.now < 120 + 60


def test_given_an_active_unit_when_its_hook_ends_then_no_alarm_is_left(
    slow: Model, api: FakeCluster
):
    api.start_seconds = 0
    ring(slow, api)

    assert slow.hook().name == "active"
    assert due(slow) == []


def test_given_pods_that_start_slowly_when_a_hook_ends_then_the_unit_looks_again_in_half_a_minute(
    slow: Model, api: FakeCluster
):
    api.clock.now += 40
    slow.hook()

    assert due(slow) == [pytest.approx(api.clock.now + 30, abs=0.001)]


def test_given_no_alarm_when_an_active_units_hook_runs_then_it_asks_juju_for_no_secret(
    deployed: Model, monkeypatch: pytest.MonkeyPatch
):
    asked: list[object] = []
    monkeypatch.setattr(ops.Model, "get_secret", lambda *_, **given: asked.append(given))

    assert deployed.hook().name == "active"
    assert asked == []


def test_given_a_machine_that_refuses_a_file_when_a_hook_runs_then_the_unit_looks_again_by_itself(
    deployed: Model, files: Files
):
    files.webhook.unlink()
    files.webhook.mkdir()
    assert deployed.hook().message.startswith("cannot write ")
    assert len(due(deployed)) == 1


def test_given_an_alarm_when_other_hooks_run_before_it_then_it_stays_the_only_one(
    slow: Model, api: FakeCluster
):
    before = due(slow)
    slow.hook()
    slow.hook()

    assert len(before) == 1
    assert due(slow) == before


def test_given_an_alarm_that_rang_for_nothing_when_its_hook_ends_then_another_is_set(
    slow: Model, api: FakeCluster
):
    (before,) = due(slow)
    assert ring(slow, api).name == "waiting"

    (after,) = due(slow)
    assert before + 30 <= after <= before + 60


def test_given_an_alarm_whose_time_was_lost_when_it_rings_then_it_is_removed_once_settled(
    slow: Model, api: FakeCluster
):
    slow.units[0].stored = frozenset()
    api.start_seconds = 0

    assert ring(slow, api).name == "active"
    assert due(slow) == []


def test_given_an_alarm_whose_secret_was_lost_when_its_time_has_passed_then_another_is_set(
    slow: Model, api: FakeCluster
):
    slow.units[0].secrets = frozenset()
    api.clock.now += 60
    slow.hook()

    assert len(due(slow)) == 1


@pytest.mark.parametrize(
    "fault",
    [
        unreachable(httpx2.ConnectError),
        *(refusal(code, "no") for code in (401, 403, 500)),
    ],
)
def test_given_an_api_server_that_fails_when_it_is_back_then_an_alarm_was_set(
    deployed: Model, api: FakeCluster, fault: Answer
):
    api.fail(fault, request=f"PATCH {SERVICE}")
    deployed.hook()
    assert len(due(deployed)) == 1

    api.recover()
    assert ring(deployed, api).name == "active"
    assert due(deployed) == []


@pytest.mark.parametrize("unit", [0, 1])
def test_given_a_newer_control_plane_without_the_option_when_it_is_set_then_an_alarm_was_set(
    easyrsa: Easyrsa, api: FakeCluster, machines: list[Files], unit: int
):
    model = Model(easyrsa, machines, units=2, endpoints=("control-plane",))
    model.settle()
    assert model.units[unit].status.message.startswith("run: juju config")

    for files in machines:
        url = f"https://{api.objects[SERVICE]['spec']['clusterIP']}/authenticate"
        files.auth_webhook.write_text(f"CUSTOM_AUTHN_ENDPOINT = '{url}'\n")
    assert ring(model, api, unit).name == "active"
    assert due(model, unit) == []


def test_given_what_juju_announces_when_a_unit_waits_for_it_then_no_alarm_is_set(
    model: Model, api: FakeCluster
):
    model.config = {"replicas": 0}
    assert model.hook().name == "blocked"
    assert due(model) == []

    model.config = {}
    model.units[0].control_plane.clear()
    assert model.hook().name == "waiting"
    assert due(model) == []


def test_given_a_juju_that_keeps_no_secrets_when_a_unit_waits_then_the_next_hook_tries_again(
    slow: Model, api: FakeCluster, monkeypatch: pytest.MonkeyPatch
):
    def refuse(*_: object, **__: object) -> None:
        raise ops.ModelError("ERROR secret backend is sealed")

    slow.units[0].secrets = frozenset()
    api.clock.now += 60
    with monkeypatch.context() as patch:
        patch.setattr(ops.Unit, "add_secret", refuse)
        assert slow.hook().name == "waiting"
    assert due(slow) == []

    slow.hook()
    assert len(due(slow)) == 1


def test_given_another_secret_that_expires_when_its_hook_runs_then_the_alarm_stays(
    slow: Model, api: FakeCluster
):
    other = ops.testing.Secret(
        {"key": "value"},
        label="other",
        owner="unit",
        expire=datetime.datetime.now(datetime.timezone.utc),
    )
    before = due(slow)
    slow.units[0].secrets |= {other}
    slow.expire("other")

    slow.units[0].secrets -= {other}
    assert DEPLOYMENT in api.objects
    assert [s.expire.timestamp() for s in slow.units[0].secrets if s.label == "alarm"] == before

"""What no event of Juju announces: the unit's alarm clock has it look again by itself."""

from __future__ import annotations

import datetime
from itertools import pairwise
from unittest import mock

import httpx2
import ops
import ops.testing
import pytest
from tests.fakes import alarms, at_rest
from tests.fakes.acting import ROLE
from tests.fakes.declaring import names
from tests.fakes.juju.model import Easyrsa, Model
from tests.fakes.kubernetes.faults import refusal, unreachable
from tests.fakes.kubernetes.paths import MAPPINGS
from tests.fakes.kubernetes.server import FakeCluster
from tests.fakes.machine import Files, rendered

import times
from testbed.juju.manner import Manner
from testbed.juju.state import secrets
from testbed.juju.uniter.secretexpire import SecretExpire

SOON = pytest.approx(10, abs=0.001)


@pytest.fixture(params=["3.6", "4.1"])
def slow(
    easyrsa: Easyrsa, api: FakeCluster, files: Files, request: pytest.FixtureRequest
) -> Model:
    """Deployed, and its pods take two minutes to start."""
    model = Model(easyrsa, [files], juju=request.param)
    api.start_seconds = 120
    at_rest.settle(model, api)
    return model


def end(api: FakeCluster, name: str, seconds: float) -> None:
    """Let the access of somebody's role end in so many seconds."""
    api.add_mapping(name, f"{ROLE}{name}", f"{ROLE}{name}", expires=alarms.after(api, seconds))


def ring(model: Model, api: FakeCluster, unit: int = 0) -> ops.StatusBase:
    """Go on to the time of the unit's alarm, and run its hook."""
    (seconds,) = alarms.rings(model, api, unit)
    api.clock.now += max(seconds, 0)
    model.expire("alarm", unit)
    return model.units[unit].status


def forbid_writes(patch: pytest.MonkeyPatch) -> None:
    """Let nothing tell Juju anything of a secret."""
    patch.setattr(ops.hookcmds, "secret_set", None)
    patch.setattr(ops.Unit, "add_secret", None)


def test_given_alarms_that_ring_then_one_secret_is_kept_and_written_only_for_another_time(
    slow: Model, api: FakeCluster, files: Files, monkeypatch: pytest.MonkeyPatch
):
    def kept() -> ops.testing.Secret:
        (secret,) = slow.units[0].secrets
        return secret

    made = kept()
    assert made.description == "wakes the unit when it expires, and has nothing secret in it"
    with monkeypatch.context() as patch:
        forbid_writes(patch)
        assert slow.hook().name == "waiting"
        assert kept() == made
    while ring(slow, api).name != "active":
        assert api.clock.now < 120 + 60
    assert not slow.units[0].alarms
    assert (kept().id, kept()._latest_revision) == (made.id, 1)

    files.webhook.unlink()
    files.webhook.mkdir()
    assert slow.hook().message.startswith("cannot write ")
    assert alarms.rings(slow, api) == [SOON]
    assert kept().id == made.id

    files.webhook.rmdir()
    assert slow.hook().name == "active"
    # Juju goes on to announce an alarm that was removed.
    forbid_writes(monkeypatch)
    slow.expire("alarm")
    assert slow.units[0].status.name == "active"


def test_given_a_wait_that_lasts_when_alarms_ring_then_they_ring_less_and_less_often_and_then_stop(
    easyrsa: Easyrsa, api: FakeCluster, files: Files
):
    # At rest, and it waits for the operator to set an option.
    waiting = Model(easyrsa, [files], endpoints=("control-plane",))
    at_rest.settle(waiting, api)
    began, rings = api.clock.now, [0.0]
    while waiting.units[0].alarms:
        assert ring(waiting, api).name == "blocked"
        rings.append(api.clock.now - began)

    steps = [after - before for before, after in pairwise(rings)]
    assert [round(step) for step in steps[:4]] == [10] * 4
    # Each is a quarter longer than the one before.
    assert all(after <= before * 1.26 + 1 for before, after in pairwise(steps))
    assert steps == sorted(steps)
    assert len(rings) < 30
    assert 3600 <= rings[-1] <= 4600
    assert waiting.hook().name == "blocked"
    assert waiting.units[0].alarms == []

    # Something happens: the unit looks often again.
    waiting.hook(waiting.on.config_changed())
    assert alarms.rings(waiting, api) == [SOON]


def test_given_an_api_that_fails_in_turns_when_alarms_ring_then_that_is_one_wait(
    deployed: Model, api: FakeCluster
):
    faults = [refusal(500, "no"), unreachable(httpx2.ConnectError)]
    api.fail(faults[0])
    deployed.hook()
    rings = 0
    while deployed.units[0].alarms and rings < 100:
        faults.reverse()
        api.recover()
        api.fail(faults[0])
        ring(deployed, api)
        rings += 1

    assert 15 < rings < 30


def test_given_what_juju_announces_when_a_unit_waits_for_it_then_no_alarm_is_set(
    model: Model, api: FakeCluster
):
    model.config = {"replicas": 0}
    assert model.hook().name == "blocked"
    assert model.units[0].alarms == []

    model.config = {}
    model.units[0].control_plane.clear()
    assert model.hook().name == "waiting"
    assert model.units[0].alarms == []


def test_given_a_juju_that_keeps_no_secrets_when_a_unit_waits_then_the_next_hook_tries_again(
    slow: Model, api: FakeCluster
):
    slow.units[0].secrets = frozenset()
    api.clock.now += 60
    sealed = ops.ModelError("ERROR secret backend is sealed")
    with mock.patch.object(ops.Unit, "add_secret", side_effect=sealed):
        assert slow.hook().name == "waiting"
    assert slow.units[0].alarms == []

    slow.hook()
    assert len(slow.units[0].alarms) == 1


def test_given_a_clock_that_is_set_back_when_a_unit_polls_then_it_comes_to_rest(
    asking: Model, api: FakeCluster, files: Files
):
    api.clock.now += 30 * 86_400
    files.auth_webhook.write_text(rendered("https://idp.example.com/hook"))
    asking.hook()
    api.clock.now -= 30 * 86_400
    asking.hook()
    rings = 0
    while asking.units[0].alarms:
        ring(asking, api)
        rings += 1
        assert rings < 60


# Access that ends.


def moment(at: float) -> datetime.datetime:
    return datetime.datetime.fromtimestamp(at, datetime.timezone.utc)


@pytest.mark.parametrize("manner", list(Manner))
@pytest.mark.parametrize("others", [(5,), (5, 20, 35)])
def test_given_other_secrets_that_ring_in_the_minute_when_access_ends_then_it_ends_on_the_second(
    deployed: Model, api: FakeCluster, manner: Manner, others: tuple[int, ...]
):
    # Juju rings for each secret whose time, cut off at the minute, has passed, and then again
    # five minutes after its own time.
    minute = (api.clock.now // 60 + 2) * 60
    deployed.units[0].secrets |= {
        ops.testing.Secret(
            {"key": "value"}, label=f"other{at}", owner="unit", expire=moment(minute + at)
        )
        for at in others
    }
    ends = moment(minute + 51)
    api.add_mapping("dev", ROLE, ROLE, expires=times.shown(ends))
    deployed.hook()

    agent = SecretExpire(manner)
    while names(api) and api.clock.now < minute + 600:
        held = [
            secrets.changed(
                secrets.Secret(each.label or "", "aws-iam/0"),
                secrets.Settings(content={"key": "value"}, expire=each.expire),
            )
            for each in deployed.units[0].secrets
        ]
        agent.look("aws-iam/0", held, moment(api.clock.now), leader=True)
        for label, revision in list(agent.expired):
            deployed.expire(label)
            agent.completed((label, revision))
        api.clock.now += 1

    assert api.clock.now <= ends.timestamp() + 3


@pytest.mark.parametrize(("stuck", "seconds"), [(60, 1000), (-1000, 45)])
def test_given_access_that_cannot_end_when_another_ends_then_that_one_ends_on_the_second(
    deployed: Model, api: FakeCluster, stuck: int, seconds: float
):
    api.clock.now = 1000
    end(api, "stuck", stuck)
    api.fail(refusal(500, "no"), request=f"DELETE {MAPPINGS}/stuck")
    over = api.clock.now + seconds
    end(api, "dev", seconds)
    deployed.hook()
    for _ in range(60):
        if names(api) == ["stuck"]:
            break
        ring(deployed, api)

    assert names(api) == ["stuck"]
    assert api.clock.now <= over + 3


def test_given_access_that_cannot_end_when_alarms_ring_then_they_never_stop(
    deployed: Model, api: FakeCluster
):
    end(api, "dev", 60)
    deployed.hook()
    api.fail(refusal(500, "no"))
    for _ in range(100):
        ring(deployed, api)

    assert alarms.rings(deployed, api) == [pytest.approx(120, abs=1)]
    api.recover()
    ring(deployed, api)
    assert names(api) == []


@pytest.mark.parametrize("config", [{"replicas": 0}, {}], ids=["blocked", "well"])
def test_given_a_unit_that_led_when_access_has_ended_then_it_never_rings_for_that_again(
    two: Model, api: FakeCluster, config: dict[str, int]
):
    end(api, "dev", 60)
    two.hook()
    two.leader = 1
    two.config = config
    two.hook(two.on.leader_elected(), unit=1)
    api.clock.now += 61
    two.hook(unit=1)
    assert names(api) == []

    two.expire("alarm", unit=0)
    assert alarms.rings(two, api, unit=0) == []


def test_given_ends_a_second_apart_when_the_alarm_rings_then_the_machine_rests_in_between(
    deployed: Model, api: FakeCluster
):
    for number in range(60):
        end(api, f"{number}", 60 + number)
    deployed.hook()
    assert alarms.rings(deployed, api) == [pytest.approx(60, abs=0.001)]

    rung = 0
    while names(api):
        ring(deployed, api)
        rung += 1

    assert rung <= 60 / 20 + 1

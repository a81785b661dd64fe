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
from tests.fakes.juju.model import Easyrsa, Model
from tests.fakes.kubernetes.faults import refusal, unreachable
from tests.fakes.kubernetes.paths import MAPPINGS
from tests.fakes.kubernetes.server import FakeCluster
from tests.fakes.machine import Files, rendered

import times
from juju.wake import NEVER
from testbed.juju.manner import Manner
from testbed.juju.state import secrets
from testbed.juju.uniter.secretexpire import SecretExpire

ROLE = "arn:aws:iam::111122223333:role/dev"


@pytest.fixture(params=["3.6", "4.1"])
def slow(
    easyrsa: Easyrsa, api: FakeCluster, files: Files, request: pytest.FixtureRequest
) -> Model:
    """Deployed, and its pods take two minutes to start."""
    model = Model(easyrsa, [files], juju=request.param)
    api.start_seconds = 120
    at_rest.settle(model, api)
    return model


def kept(model: Model) -> ops.testing.Secret:
    """Return the one secret that the unit has."""
    (secret,) = model.units[0].secrets
    return secret


def forbid_writes(patch: pytest.MonkeyPatch) -> None:
    """Let nothing tell Juju anything of a secret."""
    patch.setattr(ops.hookcmds, "secret_set", None)
    patch.setattr(ops.Unit, "add_secret", None)


def ring(model: Model, api: FakeCluster, unit: int = 0) -> ops.StatusBase:
    """Go on to the time of the unit's alarm, and run its hook."""
    (seconds,) = alarms.rings(model, api, unit)
    api.clock.now += max(seconds, 0)
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


def test_given_alarms_that_ring_then_one_secret_is_kept_and_written_only_for_another_time(
    slow: Model, api: FakeCluster, files: Files, monkeypatch: pytest.MonkeyPatch
):
    made = kept(slow)
    assert made.description == "wakes the unit when it expires, and has nothing secret in it"
    with monkeypatch.context() as patch:
        forbid_writes(patch)
        assert slow.hook().name == "waiting"
        assert kept(slow) == made
    ring(slow, api)
    ring(slow, api)
    api.start_seconds = 0
    assert ring(slow, api).name == "active"
    assert (kept(slow).expire, kept(slow).id, kept(slow)._latest_revision) == (NEVER, made.id, 1)

    files.webhook.unlink()
    files.webhook.mkdir()
    assert slow.hook().message.startswith("cannot write ")
    assert alarms.rings(slow, api) == [pytest.approx(30, abs=0.001)]
    assert kept(slow).id == made.id

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
    assert [round(step) for step in steps[:4]] == [30] * 4
    # Each is a quarter longer than the one before.
    assert all(after <= before * 1.26 + 1 for before, after in pairwise(steps))
    assert steps == sorted(steps)
    assert len(rings) < 25
    assert 3600 <= rings[-1] <= 4600
    assert waiting.hook().name == "blocked"
    assert waiting.units[0].alarms == []

    # Something happens: the unit looks often again.
    waiting.hook(waiting.on.config_changed())
    assert alarms.rings(waiting, api) == [pytest.approx(30, abs=0.001)]


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

    assert 15 < rings < 25


def test_given_access_that_cannot_end_when_alarms_ring_then_they_never_stop(
    deployed: Model, api: FakeCluster
):
    api.add_mapping("dev", ROLE, ROLE, expires=alarms.after(api, 60))
    deployed.hook()
    api.fail(refusal(500, "no"))
    for _ in range(100):
        ring(deployed, api)

    assert alarms.rings(deployed, api) == [pytest.approx(120, abs=1)]
    api.recover()
    ring(deployed, api)
    assert not [path for path in api.objects if path.endswith("/dev")]


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


def moment(at: float) -> datetime.datetime:
    return datetime.datetime.fromtimestamp(at, datetime.timezone.utc)


def held(model: Model) -> list[secrets.Secret]:
    """Return the unit's secrets as Juju has them."""
    unit = f"{model.units[0].context.app_name}/0"
    return [
        secrets.changed(
            secrets.Secret(secret.label or "", unit),
            secrets.Settings(content={"key": "value"}, expire=secret.expire),
        )
        for secret in model.units[0].secrets
    ]


@pytest.mark.parametrize("manner", list(Manner))
@pytest.mark.parametrize("others", [(5,), (5, 20, 35)])
def test_given_other_secrets_that_ring_in_the_minute_when_access_ends_then_it_ends_on_the_second(
    deployed: Model, api: FakeCluster, manner: Manner, others: tuple[int, ...]
):
    # Juju rings for each secret whose time, cut off at the minute, has passed, and then again
    # five minutes after its own time.
    minute = (api.clock.now // 60 + 2) * 60
    moments = {f"other{at}": minute + at for at in others}
    deployed.units[0].secrets |= {
        ops.testing.Secret({"key": "value"}, label=label, owner="unit", expire=moment(at))
        for label, at in moments.items()
    }
    ends = moment(minute + 51)
    api.add_mapping("dev", ROLE, ROLE, expires=times.shown(ends))
    deployed.hook()

    agent = SecretExpire(manner)
    while f"{MAPPINGS}/dev" in api.objects and api.clock.now < minute + 600:
        agent.look("aws-iam/0", held(deployed), moment(api.clock.now), leader=True)
        for label, revision in list(agent.expired):
            deployed.expire(label)
            agent.completed((label, revision))
        api.clock.now += 1

    assert api.clock.now <= ends.timestamp() + 3


# Several ends of access, of which one cannot come.


@pytest.mark.parametrize(
    ("stuck", "seconds"), [("1970-01-01T00:17:40Z", 1000), ("1970-01-01T00:00:00Z", 45)]
)
def test_given_access_that_cannot_end_when_another_ends_then_that_one_ends_on_the_second(
    deployed: Model, api: FakeCluster, stuck: str, seconds: float
):
    api.clock.now += 1000
    api.add_mapping("stuck", ROLE, ROLE, expires=stuck)
    api.fail(refusal(500, "no"), request=f"DELETE {MAPPINGS}/stuck")
    end = api.clock.now + seconds
    api.add_mapping("dev", f"{ROLE}2", f"{ROLE}2", expires=alarms.after(api, seconds))
    deployed.hook()
    assert alarms.rings(deployed, api)
    for _ in range(60):
        if f"{MAPPINGS}/dev" not in api.objects:
            break
        ring(deployed, api)

    assert api.clock.now <= end + 3
    assert f"{MAPPINGS}/stuck" in api.objects


@pytest.mark.parametrize("config", [{"replicas": 0}, {}], ids=["blocked", "well"])
def test_given_a_unit_that_led_when_access_has_ended_then_it_never_rings_for_that_again(
    two: Model, api: FakeCluster, config: dict[str, int]
):
    api.add_mapping("dev", ROLE, ROLE, expires=alarms.after(api, 60))
    two.hook()
    two.leader = 1
    two.config = config
    two.hook(two.on.leader_elected(), unit=1)
    api.clock.now += 61
    two.hook(unit=1)
    assert f"{MAPPINGS}/dev" not in api.objects

    two.expire("alarm", unit=0)
    assert alarms.rings(two, api, unit=0) == []


def test_given_a_clock_that_is_set_back_when_a_unit_polls_then_it_comes_to_rest(
    asking: Model, api: FakeCluster, files: Files
):
    api.clock.now += 30 * 86_400
    files.auth_webhook.write_text(rendered("https://idp.example.com/hook"))
    asking.hook()
    api.clock.now -= 30 * 86_400
    asking.hook()
    rings = 0
    while found := alarms.rings(asking, api):
        rings += 1
        assert rings < 60
        api.clock.now += max(found[0], 0)
        asking.expire("alarm")


def test_given_ends_a_second_apart_when_the_alarm_rings_then_the_machine_rests_in_between(
    deployed: Model, api: FakeCluster
):
    for number in range(60):
        ends, arn = alarms.after(api, 60 + number), f"{ROLE}{number}"
        api.add_mapping(f"dev-{number}", arn, arn, expires=ends)
    deployed.hook()
    assert alarms.rings(deployed, api) == [pytest.approx(60, abs=0.001)]

    rung = 0
    while any(path.startswith(f"{MAPPINGS}/") for path in api.objects):
        ring(deployed, api)
        rung += 1

    assert rung <= 60 / 20 + 1

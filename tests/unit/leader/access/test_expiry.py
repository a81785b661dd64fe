"""Access that ends: the leader deletes a mapping when its time has come."""

from __future__ import annotations

import copy
import json

import httpx2
import ops
import ops.testing
import pytest
from tests.fakes.acting import grant
from tests.fakes.alarms import after, rings
from tests.fakes.declaring import entry, names, short
from tests.fakes.juju.model import Model
from tests.fakes.kubernetes.faults import refusal, unreachable
from tests.fakes.kubernetes.paths import MAPPINGS, SERVICE
from tests.fakes.kubernetes.server import FakeCluster
from tests.fakes.listing import items

from cluster import access
from juju.peers import Peers

ROLE = "arn:aws:iam::111122223333:role/dev"
DEV = f"{MAPPINGS}/dev"
OTHER = "arn:aws:iam::111122223333:role/other"
SOON, TWO_MONTHS = "1970-03-01T00:00:00Z", 60 * 86_400


def add(api: FakeCluster, expires: str, name: str = "dev") -> None:
    api.add_mapping(name, ROLE, ROLE, expires=expires)


def test_given_a_mapping_whose_time_has_come_when_a_hook_runs_then_it_is_deleted(
    deployed: Model, api: FakeCluster
):
    add(api, after(api, -1))

    assert deployed.hook().message == "2/2 pods, 0 mappings"
    assert DEV not in api.objects
    assert f": delete mapping dev of {ROLE}" in deployed.log()
    assert rings(deployed, api) == []


def test_given_an_end_that_is_settled_when_a_hook_runs_then_it_asks_juju_for_no_secret(
    deployed: Model, api: FakeCluster, monkeypatch: pytest.MonkeyPatch
):
    add(api, after(api, 7200))
    deployed.hook()
    asked: list[object] = []
    monkeypatch.setattr(ops.Model, "get_secret", lambda *_, **given: asked.append(given))
    api.forget()

    assert deployed.hook().name == "active"
    assert asked == []
    assert api.changes == []


def test_given_a_policy_that_keeps_a_mapping_when_it_ends_then_it_is_named_and_only_others_end(
    deployed: Model, api: FakeCluster
):
    for name in "abc":
        api.add_mapping(name, arn := f"{ROLE}-{name}", arn, expires=after(api, -1))
    denied = 'admission webhook "keep" denied the request: no'
    api.fail(refusal(403, denied), request=f"DELETE {MAPPINGS}/a")
    # A person is faster than the charm.
    api.meanwhile(lambda: api.delete(f"{MAPPINGS}/c"), request=f"DELETE {MAPPINGS}/c")

    message = deployed.hook().message

    assert names(api) == ["a"]
    assert "1 broken mapping: a: expired at" in message
    assert items(deployed)[0]["problem"].startswith("expired at ")
    assert "the cluster refuses a change: mapping a: 403 admission webhook" in deployed.log()
    assert [name for name, *_ in json.loads(deployed.peer["ended"])] == ["b", "c"]
    assert rings(deployed, api) == [pytest.approx(10, abs=1)]


def test_given_ended_access_then_the_peers_know_of_it_for_a_day(deployed: Model, api: FakeCluster):
    at = after(api, -1)
    add(api, at)
    deployed.hook()
    assert deployed.peer["ended"] == json.dumps([("dev", ROLE, at)])

    bags = deployed.bags()
    api.clock.now += 86_000
    deployed.hook()
    assert deployed.bags() == bags

    api.clock.now += 500
    deployed.hook()
    assert "ended" not in deployed.peer


@pytest.mark.parametrize("gone", [[], [SERVICE]])
def test_given_a_blocked_unit_when_its_alarm_rings_then_access_ends_all_the_same(
    deployed: Model, api: FakeCluster, gone: list[str]
):
    deployed.config = {"replicas": 0}
    deployed.hook()
    for path in gone:
        api.delete(path)
    add(api, after(api, 60))
    assert deployed.hook().name == "blocked"
    assert rings(deployed, api) == [pytest.approx(60, abs=1)]

    api.clock.now += 61
    deployed.expire("alarm")

    assert deployed.units[0].status.name == "blocked"
    assert DEV not in api.objects
    assert deployed.peer["ended"]
    assert rings(deployed, api) == []


def test_given_a_blocked_unit_and_a_cluster_that_is_down_when_access_ends_then_it_looks_again(
    deployed: Model, api: FakeCluster
):
    add(api, after(api, 60))
    deployed.hook()
    deployed.config = {"replicas": 0}
    api.clock.now += 61
    api.fail(unreachable(httpx2.ConnectError))
    deployed.expire("alarm")

    assert deployed.units[0].status.name == "blocked"
    assert "expired mappings still let people in: waiting for the Kubernetes API" in deployed.log()
    assert rings(deployed, api) == [pytest.approx(10, abs=1)]

    api.recover()
    deployed.expire("alarm")
    assert DEV not in api.objects


def test_given_answers_that_take_long_when_access_ends_then_one_hook_ends_it_within_its_time(
    deployed: Model, api: FakeCluster
):
    add(api, after(api, 60))
    deployed.hook()
    api.clock.now += 61

    def slowly(request: httpx2.Request) -> None:
        api.clock.sleep(0.1 if request.url.path.startswith(MAPPINGS) else 2.5)

    api.fail(slowly)
    began = api.clock.now
    deployed.expire("alarm")

    assert deployed.units[0].status.name == "waiting"
    assert DEV not in api.objects
    assert api.clock.now < began + 28


@pytest.mark.parametrize(("replicas", "cause"), [(2, "owned by 'other"), (0, "replicas")])
def test_given_a_cluster_of_another_application_when_access_ends_then_that_one_ends_it(
    deployed: Model, api: FakeCluster, replicas: int, cause: str
):
    other = "other of model k8s (11111111-2222-4333-8444-555555555555)"
    api.objects[SERVICE]["metadata"]["annotations"]["aws-iam/owner"] = other
    add(api, after(api, -1))
    deployed.config = {"replicas": replicas}

    assert cause in deployed.hook().message
    assert DEV in api.objects


@pytest.mark.parametrize(("replicas", "status"), [(2, "active"), (0, "blocked")])
def test_given_more_ended_access_than_a_hook_has_time_for_when_it_runs_then_another_goes_on_soon(
    deployed: Model,
    api: FakeCluster,
    monkeypatch: pytest.MonkeyPatch,
    replicas: int,
    status: str,
):
    deployed.config = {"replicas": replicas}
    # The cluster's clock goes on for one at a time.
    monkeypatch.setattr(access, "WRITERS", 1)
    for n in range(100):
        name = f"arn:aws:iam::111122223333:role/r{n}"
        api.add_mapping(f"m{n:02}", name, name, expires=after(api, -1))

    def slowly(request: httpx2.Request) -> None:
        if request.url.path.startswith(f"{MAPPINGS}/"):
            api.clock.sleep(0.5)

    api.fail(slowly)
    began = api.clock.now
    assert deployed.hook().name == status

    left = [path for path in api.objects if path.startswith(MAPPINGS)]
    assert 0 < len(left) < 100
    assert api.clock.now < began + 30
    assert rings(deployed, api) == [pytest.approx(1, abs=0.1)]
    api.recover()
    deployed.expire("alarm")
    assert not [path for path in api.objects if path.startswith(MAPPINGS)]


def test_given_access_that_ends_while_a_hook_writes_then_the_next_hook_ends_it_and_none_is_broken(
    deployed: Model, api: FakeCluster
):
    add(api, after(api, 5))
    api.add_mapping("new", OTHER)
    api.fail(lambda _: api.clock.sleep(6), request=f"PATCH {MAPPINGS}/new/status")

    assert deployed.hook().message == "2/2 pods, 2 mappings"
    assert len(rings(deployed, api)) == 1


def test_given_a_mapping_of_any_text_when_it_ends_then_the_log_can_be_written(
    deployed: Model, api: FakeCluster
):
    expires = after(api, -1).replace("Z", f".{'0' * 90_000}Z")
    api.add_mapping("dev", "\0\n" + "x" * 140_000, expires=expires)

    deployed.hook()

    assert DEV not in api.objects
    (line,) = [line for line in deployed.log().splitlines() if "delete mapping dev" in line]
    assert line.isprintable()
    assert len(line) < 500
    assert len(deployed.peer["ended"]) < 2000


@pytest.mark.parametrize(("former", "later"), [(0, 1800), (9000, 1800), (1800, 0)])
def test_given_a_blocked_unit_when_an_end_is_declared_then_the_access_ends_by_it(
    deployed: Model, api: FakeCluster, former: int, later: int
):
    ends = [{"expires": after(api, seconds)} if seconds else {} for seconds in (former, later)]
    deployed.config = {"mappings": json.dumps([entry("dev", **ends[0])])}
    deployed.hook()
    assert names(api) == ["dev"]

    deployed.config = {"mappings": json.dumps([entry("dev", **ends[1])]), "replicas": 99}
    assert deployed.hook().name == "blocked"
    assert rings(deployed, api) == ([pytest.approx(1800, abs=1)] if later else [])
    api.clock.now += 1801
    deployed.hook()

    assert names(api) == ([] if later else ["dev"])


def test_given_a_list_from_before_a_grant_when_another_ends_then_the_grants_end_is_kept(
    deployed: Model, api: FakeCluster
):
    grant(deployed, arn=ROLE, for_="30m")
    deployed.hook()
    api.clock.now += 1790
    earlier = copy.deepcopy(api.objects)
    later = grant(deployed, arn=OTHER, for_="2h")["mapping"]
    api.clock.now += 15
    api.memory = earlier
    deployed.expire("alarm")

    assert names(api) == [short(later)]
    assert rings(deployed, api) == [pytest.approx(7185, abs=1)]


def test_given_a_new_leader_that_cannot_look_when_access_is_to_end_then_it_looks_again(
    two: Model, api: FakeCluster
):
    two.config = {"replicas": 0}
    add(api, after(api, 600))
    two.hook()
    two.leader = 1
    api.fail(unreachable(httpx2.ConnectError))
    assert two.hook(two.on.leader_elected(), unit=1).name == "blocked"
    (alarm,) = two.units[1].alarms
    assert alarm.expire

    api.recover()
    two.expire("alarm", unit=1)

    (alarm,) = two.units[1].alarms
    assert alarm.expire
    assert alarm.expire.timestamp() - api.clock.now == pytest.approx(600, abs=1)


def test_given_a_hook_that_dies_after_its_writes_then_the_log_has_said_what_it_was_about_to_write(
    deployed: Model, api: FakeCluster, monkeypatch: pytest.MonkeyPatch
):
    end = after(api, -1)
    add(api, end)
    deployed.has_bugs = True

    def die(*_: object, **__: object) -> None:
        raise RuntimeError

    monkeypatch.setattr(Peers, "change", die)
    deployed.hook()

    assert DEV not in api.objects
    assert f"expired at {end}: delete mapping dev of {ROLE}" in deployed.log()


def test_given_many_that_have_ended_then_twenty_are_named_and_the_others_counted(
    deployed: Model, api: FakeCluster
):
    for number in range(access.MOST_LOGGED + 10):
        add(api, after(api, -1), f"m{number}")
    deployed.hook()

    lines = [line for line in deployed.log().splitlines() if line.startswith("expired at")]
    assert len(lines) == access.MOST_LOGGED
    assert "and 10 more" in deployed.log()

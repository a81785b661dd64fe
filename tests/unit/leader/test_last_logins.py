"""The record of each principal's last day: written by the leader, once a day, and kept."""

from __future__ import annotations

import datetime

import ops
import pytest
from tests.fakes.juju.model import Model
from tests.fakes.kubernetes.faults import REFUSALS
from tests.fakes.kubernetes.paths import LOGINS, MAPPINGS, PODS
from tests.fakes.kubernetes.server import FakeCluster
from tests.fakes.listing import items
from tests.fakes.login_lines import ROLE, line

from cluster import pod_logs

# A look is kept to the second.
HOUR, DAY = 3601, 86400


def granted(api: FakeCluster, arn: str = ROLE) -> bytes:
    """A line of the authenticator's log on a login a moment ago."""
    time = datetime.datetime.fromtimestamp(api.clock.now, datetime.timezone.utc).isoformat()
    return f"{line('access granted', arn, time=time, username='dev')}\n".encode()


def log_in(api: FakeCluster, arn: str = ROLE) -> None:
    """Let a pod that has been there since 1970 let somebody in now."""
    api.add_lines("a", (api.clock.now, b"{}\n"), (0.0, granted(api, arn)))


def at_midnight(api: FakeCluster, days: int) -> None:
    """Let it be the first seconds of a later day."""
    api.clock.sleep(days * DAY + 5 - api.clock.now)


def data(api: FakeCluster) -> dict[str, str]:
    return api.objects[LOGINS]["data"]


def looks(api: FakeCluster) -> int:
    return api.requests.count(f"GET {PODS}/a/log")


def test_given_a_login_when_an_hour_has_passed_then_its_day_is_recorded(
    deployed: Model, api: FakeCluster
):
    log_in(api)
    deployed.hook()
    assert data(api).keys() == {"1970-01-01", "since", "until", "pods"}

    at_midnight(api, 2)
    log_in(api)
    deployed.hook()

    assert data(api).keys() == {"1970-01-03", "since", "until", "pods"}
    assert data(api)["since"] == "1970-01-01"
    assert data(api)["until"].startswith("1970-01-03T")


def test_given_a_look_within_the_hour_then_no_hook_asks_for_a_log_again(
    deployed: Model, api: FakeCluster
):
    log_in(api)
    deployed.hook()
    api.forget()
    deployed.hook()
    assert (looks(api), api.changes) == (0, [])

    api.clock.sleep(HOUR)
    deployed.hook()

    assert looks(api)


def test_given_a_hook_within_the_second_of_a_look_then_it_asks_for_no_log(
    deployed: Model, api: FakeCluster
):
    log_in(api)
    api.clock.sleep(HOUR + 0.4)
    deployed.hook()
    assert looks(api)

    api.forget()
    api.clock.sleep(0.1)
    deployed.hook()

    assert looks(api) == 0


def test_given_pods_that_are_replaced_then_what_they_logged_stays(
    deployed: Model, api: FakeCluster
):
    log_in(api)
    deployed.hook()
    before = dict(data(api))
    del api.objects[f"{PODS}/a"]
    api.add_log("b", b"")
    api.clock.sleep(HOUR)

    deployed.hook()

    assert data(api) == {**before, "gaps": "1970-01-01", "pods": "b"}


def test_given_a_config_map_of_a_person_then_it_is_left_alone(deployed: Model, api: FakeCluster):
    api.put(LOGINS, {"metadata": {"name": "aws-iam-logins"}, "data": {"mine": "1"}})
    log_in(api)

    deployed.hook()

    assert data(api) == {"mine": "1"}


@pytest.mark.parametrize("fault", ["read timeout", "403", "409", "500"])
@pytest.mark.parametrize("request_", [f"GET {PODS}/a/log", f"GET {LOGINS}", f"PATCH {LOGINS}"])
def test_given_looks_that_failed_for_hours_then_the_next_records_what_was_logged_meanwhile(
    deployed: Model, api: FakeCluster, request_: str, fault: str
):
    log_in(api)
    deployed.hook()
    log_in(api, f"{ROLE}2")
    api.fail(REFUSALS[fault], request=request_)
    for _ in range(3):
        api.clock.sleep(HOUR)
        assert isinstance(deployed.hook(), ops.ActiveStatus)
    api.recover()
    api.clock.sleep(HOUR)

    deployed.hook()

    assert len(data(api)["1970-01-01"].split()) == 2


def test_given_a_node_that_failed_in_a_flood_then_a_later_look_records_what_was_logged_before(
    deployed: Model, api: FakeCluster
):
    log_in(api)
    deployed.hook()
    mapped = granted(api, f"{ROLE}2")
    api.clock.sleep(3 * HOUR)
    flood = [(0.0, b"{}\n")] * pod_logs.LINES
    api.add_lines("a", (4 * HOUR, b"{}\n"), (3 * HOUR, mapped), *flood)
    api.fail(REFUSALS["500"], request=f"GET {PODS}/a/log", nth=2)
    deployed.hook()
    api.recover()
    api.clock.sleep(HOUR)

    deployed.hook()

    assert len(data(api)["1970-01-01"].split()) == 2


@pytest.mark.parametrize("log", [b"", b"{}\n"], ids=["empty", "new"])
def test_given_a_pod_whose_log_begins_late_then_what_another_logged_before_is_recorded(
    deployed: Model, api: FakeCluster, log: bytes
):
    log_in(api)
    api.clock.sleep(600)
    api.add_log("b", log)

    deployed.hook()

    assert data(api).keys() == {"1970-01-01", "since", "until", "pods"}


@pytest.fixture
def two(deployed: Model, api: FakeCluster) -> Model:
    """A role that logs in, and another one that does not."""
    for name, arn, group in (("dev", ROLE, "view"), ("root", f"{ROLE}s", "system:masters")):
        api.add_mapping(name, arn, groups=[group])
        api.objects[f"{MAPPINGS}/{name}"]["metadata"]["creationTimestamp"] = "1970-01-01T00:00:00Z"
    log_in(api)
    deployed.hook()
    return deployed


def unused(model: Model) -> list[str]:
    """The names of the mappings that let nobody in for 90 days."""
    return [each["name"] for each in items(model, unused="90d")]


def test_given_90_days_without_a_login_then_the_list_has_the_mappings_that_are_unused(
    two: Model, api: FakeCluster
):
    at_midnight(api, 89)
    two.hook()
    assert unused(two) == []

    at_midnight(api, 91)
    log_in(api)
    two.hook()
    assert unused(two) == ["root"]

    at_midnight(api, 200)
    two.hook()
    assert unused(two) == ["dev", "root"]


# What the leader could not read.


def rotate(api: FakeCluster) -> None:
    """Let a stranger's tokens fill the log of the pod since a moment ago."""
    api.add_lines("a", *[(1.0, b"{}\n")] * 9)


def test_given_a_log_that_strangers_fill_then_the_day_is_a_gap_and_prolongs_the_90_days(
    two: Model, api: FakeCluster
):
    api.clock.sleep(DAY)
    rotate(api)
    two.hook()
    assert data(api)["gaps"] == "1970-01-01 1970-01-02"

    at_midnight(api, 91)
    log_in(api)
    two.hook()
    assert unused(two) == []

    at_midnight(api, 92)
    log_in(api)
    two.hook()
    assert unused(two) == ["root"]


def test_given_a_log_that_strangers_fill_then_the_actions_tell_the_gap(
    two: Model, api: FakeCluster
):
    api.clock.sleep(HOUR)
    rotate(api)

    two.hook()

    gap = "; the pods' log of 1970-01-01 is incomplete"
    assert two.action("list-mappings")["logins"].endswith(gap)
    said = two.action("explain-access", arn=f"{ROLE}s")["last-logins"].splitlines()
    assert said[0] == f"no login is known since 1970-01-01{gap}"


def test_given_an_evicted_pod_then_its_missing_log_is_no_gap(two: Model, api: FakeCluster):
    api.add_pod("evicted", phase="Failed")
    at_midnight(api, 1)

    two.hook()

    assert data(api)["until"].startswith("1970-01-02T")
    assert "gaps" not in data(api)


def test_given_another_leader_then_it_reads_the_logs_since_the_day_of_the_last_look(
    deployed: Model, api: FakeCluster
):
    log_in(api)
    deployed.hook()
    at_midnight(api, 2)
    api.add_lines("a", (3 * DAY, b"{}\n"), (DAY + HOUR, granted(api, f"{ROLE}2")))
    deployed.units[0].stored = frozenset()

    deployed.hook()

    assert "gaps" not in data(api)
    assert data(api)["until"].startswith("1970-01-03T")


def test_given_a_hook_that_dies_after_its_look_then_its_retry_finds_no_gap(
    deployed: Model, api: FakeCluster
):
    api.clock.sleep(10 * HOUR)
    api.add_lines("a", (60.0, b"{}\n"))
    deployed.hook()
    before = dict(data(api))
    deployed.units[0].stored = frozenset()
    api.clock.sleep(5)
    api.add_lines("a", (65.0, b"{}\n"))

    deployed.hook()

    assert data(api) == before


# The record is deleted, or seems to be.


def test_given_a_record_that_is_deleted_then_all_that_the_logs_show_is_recorded_again(
    deployed: Model, api: FakeCluster
):
    log_in(api)
    login = granted(api)
    deployed.hook()
    before = dict(data(api))
    at_midnight(api, 3)
    api.add_lines("a", (api.clock.now, b"{}\n"), (3 * DAY, login), (DAY, b"{}\n"))
    deployed.hook()
    api.delete(LOGINS)
    api.clock.sleep(HOUR)

    deployed.hook()

    assert data(api) == {**before, "until": data(api)["until"]}
    assert data(api)["until"].startswith("1970-01-04T")


def test_given_one_answer_that_the_record_is_not_there_then_it_stays_as_it_is(
    deployed: Model, api: FakeCluster
):
    log_in(api)
    deployed.hook()
    before = dict(data(api))
    at_midnight(api, 3)
    api.add_lines("a", (1.0, b"{}\n"))
    api.fail(REFUSALS["404"], request=f"GET {LOGINS}", nth=1)

    deployed.hook()

    assert data(api) == before


def test_given_a_clock_that_was_put_back_when_a_hook_runs_then_it_reads_the_log_all_the_same(
    deployed: Model, api: FakeCluster
):
    api.add_log("a", b"")
    api.clock.sleep(3 * DAY)
    deployed.hook()
    before = looks(api)
    api.clock.now -= DAY

    deployed.hook()

    assert looks(api) == before + 1

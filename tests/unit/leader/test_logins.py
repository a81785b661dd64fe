"""The record of each principal's last day: written by the leader, once a day, and kept."""

from __future__ import annotations

import datetime
import json

import ops
import pytest
from tests.fakes.juju.model import Model
from tests.fakes.kubernetes.faults import REFUSALS
from tests.fakes.kubernetes.paths import LOGINS, PODS
from tests.fakes.kubernetes.server import FakeCluster

ROLE = "arn:aws:iam::111122223333:role/dev"
# A look is kept to the second.
HOUR, DAY = 3601, 86400


def granted(api: FakeCluster, arn: str = ROLE) -> bytes:
    """A line of the authenticator's log on a login a moment ago."""
    line = {
        "client": "10.1.0.1:38652",
        "level": "info",
        "msg": "access granted",
        "path": "/authenticate",
        "time": datetime.datetime.fromtimestamp(api.clock.now, datetime.timezone.utc).isoformat(),
        "arn": arn,
        "username": "dev",
    }
    return json.dumps(line).encode() + b"\n"


def log_in(api: FakeCluster, arn: str = ROLE) -> None:
    api.add_log("a", granted(api, arn))


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
    assert data(api).keys() == {"1970-01-01", "since"}

    at_midnight(api, 2)
    log_in(api)
    deployed.hook()

    assert data(api).keys() == {"1970-01-03", "since"}
    assert data(api)["since"] == "1970-01-01"


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


def test_given_another_login_of_the_day_then_nothing_is_written(deployed: Model, api: FakeCluster):
    log_in(api)
    deployed.hook()
    api.clock.sleep(HOUR)
    log_in(api)
    api.forget()

    deployed.hook()

    assert looks(api)
    assert api.changes == []


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

    assert data(api) == before


def test_given_a_config_map_of_a_person_then_it_is_left_alone(deployed: Model, api: FakeCluster):
    api.put(LOGINS, {"metadata": {"name": "aws-iam-logins"}, "data": {"mine": "1"}})
    log_in(api)

    deployed.hook()

    assert data(api) == {"mine": "1"}


def test_given_data_that_somebody_forged_then_only_days_of_the_past_count(
    deployed: Model, api: FakeCluster
):
    log_in(api)
    deployed.hook()
    api.objects[LOGINS]["data"] |= {"2099-01-01": "f" * 16, "x": "y", "1970-01-01": "none"}
    api.clock.sleep(HOUR)
    log_in(api)

    deployed.hook()

    assert len(data(api)["1970-01-01"]) == 16


@pytest.mark.parametrize("fault", REFUSALS)
@pytest.mark.parametrize("request_", [f"GET {PODS}/a/log", f"GET {LOGINS}", f"PATCH {LOGINS}"])
def test_given_a_look_that_fails_then_the_unit_works_all_the_same(
    deployed: Model, api: FakeCluster, request_: str, fault: str
):
    log_in(api)
    api.fail(REFUSALS[fault], request=request_)

    assert isinstance(deployed.hook(), ops.ActiveStatus)


def test_given_the_last_unit_when_it_is_removed_then_the_record_goes_too(
    deployed: Model, api: FakeCluster
):
    log_in(api)
    deployed.hook()
    assert LOGINS in api.objects

    deployed.hook(deployed.on.remove())

    assert LOGINS not in api.objects

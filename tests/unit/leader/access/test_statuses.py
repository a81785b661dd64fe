"""A hook writes `status.canonicalARN`, so that a new mapping works at once."""

from __future__ import annotations

import httpx2
import ops
import pytest
from tests.fakes.alarms import rings
from tests.fakes.arns import CANONICAL, DEV, PATHED
from tests.fakes.juju.model import Model
from tests.fakes.kubernetes.faults import Answer, refusal, unreachable
from tests.fakes.kubernetes.paths import CONFIG, DEFINITION, MAPPINGS
from tests.fakes.kubernetes.server import FakeCluster

from text import brief, quoted


def test_given_another_partition_when_a_hook_runs_then_the_mappings_that_fail_by_it_are_named(
    deployed: Model, api: FakeCluster
):
    api.add_mapping("dev", DEV, CANONICAL)
    deployed.config = {"partition": "aws-cn"}

    shown = deployed.hook(deployed.on.config_changed()).message

    assert "dev: no login has partition aws, because the option partition is aws-cn" in shown
    assert 'partition: "aws-cn"' in api.objects[CONFIG]["data"]["config.yaml"]
    assert "where the partition is aws-cn" in str(api.objects[DEFINITION])


def test_given_new_mappings_when_a_hook_runs_then_they_work_at_once(
    deployed: Model, api: FakeCluster
):
    api.add_mapping("dev", DEV)

    status = deployed.hook()

    assert status.message == "2/2 pods, 1 mapping"
    assert api.objects[f"{MAPPINGS}/dev"]["status"] == {"canonicalARN": CANONICAL}
    assert api.changes == [f"PATCH {MAPPINGS}/dev/status"]


def add_roles(api: FakeCluster, number: int) -> None:
    for n in range(number):
        api.add_mapping(f"m{n:02}", f"arn:aws:iam::111122223333:role/r{n:02}")


def effective(api: FakeCluster) -> int:
    """How many mappings have a canonical ARN."""
    return sum("status" in o for path, o in api.objects.items() if path.startswith(MAPPINGS))


def test_given_more_new_mappings_than_a_hook_has_time_for_when_it_runs_then_another_goes_on_soon(
    deployed: Model, api: FakeCluster
):
    def slowly(request: httpx2.Request) -> None:
        if request.url.path.startswith(MAPPINGS) and request.method == "PATCH":
            api.clock.sleep(0.25)

    add_roles(api, 150)
    api.fail(slowly)
    began = api.clock.now

    message = deployed.hook().message

    left = 150 - effective(api)
    assert 70 < left < 100
    assert message == f"2/2 pods, 150 mappings, {left} changes of access not made yet"
    assert api.clock.now < began + 30

    assert rings(deployed, api) == [pytest.approx(1, abs=0.001)]

    api.recover()
    deployed.expire("alarm")
    assert deployed.units[0].status.message == "2/2 pods, 150 mappings"
    assert not deployed.units[0].alarms


def test_given_a_mapping_that_cannot_be_written_yet_then_the_unit_looks_later(
    deployed: Model, api: FakeCluster
):
    add_roles(api, 2)
    api.fail(refusal(409, "modified"), request=f"PATCH {MAPPINGS}/m01/status")

    deployed.hook()
    assert effective(api) == 1
    assert rings(deployed, api) == [pytest.approx(10, abs=0.001)]


def test_given_a_server_that_does_not_answer_in_time_when_it_is_written_then_the_next_hook_goes_on(
    deployed: Model, api: FakeCluster
):
    add_roles(api, 3)
    api.fail(unreachable(httpx2.ReadTimeout), request=f"PATCH {MAPPINGS}/m01/status")

    message = deployed.hook().message

    assert message == "2/2 pods, 3 mappings, 1 change of access not made yet"
    (asked, *_) = [seen for seen in api.seen if seen.path == f"{MAPPINGS}/m01/status"]
    assert asked.seconds["read"] == 4


def test_given_mappings_that_never_work_when_a_hook_runs_then_the_first_is_named(
    deployed: Model, api: FakeCluster
):
    api.add_mapping("a", DEV, CANONICAL)
    api.add_mapping("b", PATHED, PATHED)
    api.add_mapping("c", "nonsense")

    assert deployed.hook().message == (
        "2/2 pods, 3 mappings, 2 broken mappings: b: no login has a role "
        "path; map arn:aws:iam::111122223333:role/dev instead"
    )
    assert api.changes == []


WEBHOOK = 'admission webhook "iam.example.com" denied the request: ask the security\n team'
FAILS = "etcdserver: no leader"


@pytest.mark.parametrize(
    ("fault", "cause"),
    [
        (refusal(500, FAILS), f"500 {FAILS}"),
        (refusal(403, WEBHOOK), brief(f"403 {WEBHOOK}")),
    ],
    ids=["fails", "refuses"],
)
def test_given_one_mapping_that_the_server_does_not_write_then_it_alone_is_named_with_the_cause(
    deployed: Model, api: FakeCluster, fault: Answer, cause: str
):
    add_roles(api, 20)
    api.fail(fault, request=f"PATCH {MAPPINGS}/m07/status")

    assert deployed.hook() == ops.ActiveStatus(
        "2/2 pods, 20 mappings, 1 not applied: mapping m07: "
        f"the cluster does not make it: {quoted(cause)}"
    )
    assert effective(api) == 19

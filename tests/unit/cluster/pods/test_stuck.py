"""Why a rollout is not complete: what a person must do, or that it only takes time."""

from __future__ import annotations

from typing import Any

import pytest
from tests.fakes.kubernetes.paths import PODS
from tests.fakes.kubernetes.pods import UNSCHEDULABLE, waiting
from tests.fakes.kubernetes.server import FakeCluster

from cluster import pods
from cluster.api import Client
from cluster.pods import ImageNotPulled, NotCreated, NotScheduled, Rollout
from errors import Blocked, Unready, Waiting

NONE_READY = Rollout(2, 0, serving=False, complete=False)
CREATING = waiting("ContainerCreating")
RUNS: dict[str, Any] = {**waiting("")[0], "state": {"running": {}}}


def problem(client: Client, rollout: Rollout = NONE_READY) -> tuple[type[Unready], str]:
    """What `check_complete` raises: its type, and its text without the charm's own words."""
    with pytest.raises(Unready) as raised:
        pods.check_complete(rollout, pods.find(client))
    return type(raised.value), str(raised.value)


def stuck(line: str) -> str:
    return f"an authenticator pod cannot start: {line!r}"


TAKES_TIME = (Waiting, "waiting for the authenticator's pods, 0/2 updated pods ready")
NO_ROOM = "Unschedulable: 0/1 nodes are available: 1 Insufficient memory."
NO_HOST = "failed " * 20 + "no such host"


def scheduled(message: str) -> dict[str, Any]:
    return {"conditions": [{**UNSCHEDULABLE[0], "message": message}]}


def created(reason: str, message: str = "") -> dict[str, Any]:
    return {"containerStatuses": [RUNS, *waiting(reason, message)]}


@pytest.mark.parametrize(
    ("status", "kind", "line"),
    [
        (scheduled(UNSCHEDULABLE[0]["message"]), NotScheduled, NO_ROOM),
        (scheduled(""), NotScheduled, "Unschedulable"),
        (created("InvalidImageName"), ImageNotPulled, "InvalidImageName"),
        (created("CreateContainerError"), Blocked, "CreateContainerError"),
        (created("CreateContainerConfigError"), Blocked, "CreateContainerConfigError"),
        (created("RunContainerError"), Blocked, "RunContainerError"),
        (created("CrashLoopBackOff", "back-off"), Blocked, "CrashLoopBackOff: back-off"),
        (created("ImagePullBackOff", "x\n y"), ImageNotPulled, "ImagePullBackOff: x y"),
        (created("ErrImagePull", NO_HOST), ImageNotPulled, f"ErrImagePull: …{NO_HOST[-99:]}"),
    ],
)
def test_given_a_pod_that_a_person_must_help_then_its_own_reason_is_said(
    client: Client, api: FakeCluster, status: dict[str, Any], kind: type[Blocked], line: str
):
    api.add_pod("a", containerStatuses=[RUNS])
    api.add_pod("b", **status)

    assert problem(client) == (kind, stuck(line))


@pytest.mark.parametrize(
    "status",
    [
        {},
        {"containerStatuses": CREATING},
        {"containerStatuses": [{**RUNS, "state": {}}, RUNS]},
        {"conditions": [{"type": "PodScheduled", "status": "True", "reason": "-"}]},
        {"conditions": [{"type": "Ready", "status": "False", "reason": "ContainersNotReady"}]},
    ],
)
def test_given_a_pod_that_only_takes_time_then_it_is_waited_for(
    client: Client, api: FakeCluster, status: dict[str, Any]
):
    api.add_pod("a")
    api.objects[f"{PODS}/a"]["status"] = status

    assert problem(client) == TAKES_TIME


def test_given_a_complete_rollout_then_no_pod_is_a_problem(client: Client, api: FakeCluster):
    api.add_pod("former", containerStatuses=waiting("CrashLoopBackOff"))

    pods.check_complete(Rollout(2, 2, serving=True, complete=True), pods.find(client))


def test_given_several_problems_then_what_a_pod_says_goes_first_and_time_last(
    client: Client, api: FakeCluster
):
    refused = Rollout(2, 1, serving=True, complete=False, refusal="FailedCreate: no")
    api.add_pod("a", containerStatuses=CREATING)

    assert problem(client, refused) == (NotCreated, stuck("FailedCreate: no"))
    api.add_pod("b", containerStatuses=waiting("CrashLoopBackOff"))
    assert problem(client, refused) == (Blocked, stuck("CrashLoopBackOff"))

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
        pods.check_complete(client, rollout, pods.find(client))
    return type(raised.value), str(raised.value)


def stuck(line: str) -> str:
    return f"an authenticator pod cannot start: {line!r}"


def warned(line: str) -> tuple[type[Unready], str]:
    return Waiting, f"{TAKES_TIME[1]}: {line!r}"


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

    pods.check_complete(client, Rollout(2, 2, serving=True, complete=True), pods.find(client))


def test_given_several_problems_then_what_a_pod_says_goes_first_and_time_last(
    client: Client, api: FakeCluster
):
    refused = Rollout(2, 1, serving=True, complete=False, refusal="FailedCreate: no")
    api.add_pod("a", containerStatuses=CREATING)
    api.add_event("1", "a", "no network", minute=1, reason="FailedCreatePodSandBox")

    assert problem(client, refused) == (NotCreated, stuck("FailedCreate: no"))
    api.add_pod("b", containerStatuses=waiting("CrashLoopBackOff"))
    assert problem(client, refused) == (Blocked, stuck("CrashLoopBackOff"))


# What the events of a pod say.


FAILED = 'Failed to pull image "x:v1"'


@pytest.mark.parametrize(
    ("state", "line"),
    [
        (
            waiting("ImagePullBackOff", "Back-off pulling image"),
            f"ImagePullBackOff: {FAILED}: 401 Unauthorized",
        ),
        # It has just failed.
        (waiting("ErrImagePull", "no such host"), "ErrImagePull: no such host"),
    ],
)
def test_given_a_pull_that_fails_then_the_newest_failure_is_said(
    client: Client, api: FakeCluster, state: list[Any], line: str
):
    api.add_pod("a", containerStatuses=state)
    api.add_event("1", "a", f"{FAILED}: 401 Unauthorized", minute=2)
    api.add_event("2", "a", f"{FAILED}: no basic auth credentials", minute=1)
    api.add_event("3", "a", "Error: ErrImagePull", minute=3)
    api.add_event("4", "b", f"{FAILED}: no such host", minute=4)
    api.add_event("5", "a", f"{FAILED}: i/o timeout", minute=None)

    assert problem(client) == (ImageNotPulled, stuck(line))


def test_given_a_pod_that_takes_time_when_its_node_warns_of_it_then_the_newest_warning_is_said(
    client: Client, api: FakeCluster
):
    api.add_pod("a", containerStatuses=[RUNS, *CREATING])
    api.add_event("1", "a", "secret not found", minute=1, reason="FailedMount")
    api.add_event("2", "a", "no network", minute=2, reason="FailedCreatePodSandBox")
    api.add_event("3", "b", "of another pod", minute=3, reason="FailedMount")
    api.add_event("4", "a", "no ClusterDNS", minute=4, reason="MissingClusterDNS")
    api.add_event("5", "a", "of its name in default", minute=5, reason="FailedMount")
    (path,) = [path for path in api.objects if path.endswith("/events/5")]
    api.objects[path.replace("kube-system", "default")] = api.objects.pop(path)

    assert problem(client) == warned("FailedCreatePodSandBox: no network")


@pytest.mark.parametrize("minute", [None, 1])
@pytest.mark.parametrize(
    "reason", ["FailedMount", "FailedAttachVolume", "FailedCreatePodSandBox", "NetworkNotReady"]
)
def test_given_a_warning_of_what_a_new_container_waits_for_then_it_is_said_until_that_runs(
    client: Client, api: FakeCluster, reason: str, minute: int | None
):
    api.add_pod("a", containerStatuses=CREATING)
    api.add_event("1", "a", "no", minute=minute, reason=reason)

    assert problem(client) == warned(f"{reason}: no")
    api.add_pod("a", containerStatuses=[RUNS])
    assert problem(client) == TAKES_TIME

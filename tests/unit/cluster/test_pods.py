"""The pods: how far their rollout is, which count, and why they do not start."""

from __future__ import annotations

from typing import Any

import httpx2
import ops
import pytest
from tests.fakes.juju.model import Model
from tests.fakes.kubernetes.faults import ok, unreachable
from tests.fakes.kubernetes.paths import DEPLOYMENT, PODS
from tests.fakes.kubernetes.pods import UNSCHEDULABLE, waiting
from tests.fakes.kubernetes.server import FakeCluster
from tests.fakes.kubernetes.stored import stamp

from certificates import KeyPair
from cluster import api as kubernetes
from cluster import pods
from cluster.api import Client, Object
from cluster.pods import ImageNotPulled, NotCreated, NotScheduled, Rollout, Serving
from errors import Blocked, Unready, Waiting
from owner import CERTIFICATE_HASH

NOW = 3600.0
QUOTA = 'pods "aws-iam-authenticator-5c6d7-x" is forbidden: exceeded quota: small'


@pytest.fixture(autouse=True)
def _now(api: FakeCluster) -> None:
    api.clock.now = NOW


def deployment(status: dict[str, Any] | None, observed: int = 3, **spec: Any) -> dict[str, Any]:
    """As the API server has it, with the status of a controller that has ``observed`` a spec."""
    metadata = {"name": "aws-iam-authenticator", "generation": 3}
    written = {} if status is None else {"status": {"observedGeneration": observed, **status}}
    return {"metadata": metadata, "spec": {"replicas": 2, **spec}, **written}


def counted(updated: int, available: int, everyone: int) -> dict[str, int]:
    return {"updatedReplicas": updated, "availableReplicas": available, "replicas": everyone}


READY = counted(2, 2, 2)


@pytest.mark.parametrize(
    ("stored", "wanted", "ready", "serving"),
    [
        (deployment(None), 2, 0, False),
        (deployment(READY), 2, 2, True),
        # The controller has not seen the newest spec.
        (deployment(READY, observed=2), 2, 0, True),
        (deployment(counted(1, 2, 3)), 2, 0, True),
        (deployment(counted(2, 2, 3)), 2, 1, True),
        (deployment(counted(2, 1, 2)), 2, 1, True),
        (deployment(counted(1, 1, 3)), 2, 0, True),
        (deployment(counted(2, 0, 2)), 2, 0, False),
        (deployment(READY, replicas=3), 3, 2, True),
        (deployment({}, replicas=0), 0, 0, False),
        ({**deployment(counted(1, 1, 1)), "spec": {}}, 1, 1, True),
    ],
)
def test_given_a_deployment_then_former_pods_do_not_count_as_ready(
    stored: dict[str, Any], wanted: int, ready: int, serving: bool
):
    complete = ready == wanted
    assert pods.progress(stored) == Rollout(wanted, ready, serving=serving, complete=complete)


@pytest.mark.parametrize(
    ("condition", "refusal"),
    [
        ({"message": QUOTA}, "FailedCreate: exceeded quota: small"),
        ({"message": "no webhook"}, "FailedCreate: no webhook"),
        (
            {"message": 'pods "a" is forbidden: image b is forbidden: sign it'},
            "FailedCreate: image b is forbidden: sign it",
        ),
        ({}, "FailedCreate"),
        ({"status": "False", "message": QUOTA}, ""),
        ({"type": "Progressing", "message": QUOTA}, ""),
    ],
)
def test_given_conditions_of_a_deployment_then_only_a_failure_that_lasts_refuses_its_pods(
    condition: dict[str, str], refusal: str
):
    failure = {"type": "ReplicaFailure", "status": "True", "reason": "FailedCreate", **condition}
    available = {"type": "Available", "status": "True", "message": "all is well"}

    stored = deployment({"conditions": [available, failure]})

    assert pods.progress(stored).refusal == refusal


def test_given_a_rollout_that_does_not_end_then_a_hook_waits_for_a_while(
    client: Client, api: FakeCluster
):
    stuck = deployment(None)
    api.fail(lambda _: ok(stuck), request=f"GET {DEPLOYMENT}")

    assert pods.await_rollout(client, stuck) == pods.progress(stuck)
    assert api.clock.now == 3600 + pods.ROLLOUT_SECONDS


def test_given_a_hook_with_little_time_when_a_rollout_is_waited_for_then_it_keeps_some_of_it(
    client: Client, api: FakeCluster
):
    api.clock.now += kubernetes.SECONDS - 5
    stuck = deployment(None)
    api.fail(lambda _: ok(stuck), request=f"GET {DEPLOYMENT}")

    pods.await_rollout(client, stuck)

    assert client.seconds_left == 2


def test_given_a_rollout_when_all_its_pods_are_there_then_the_hook_goes_on(
    client: Client, api: FakeCluster
):
    begun, ended = deployment({}), deployment(READY)
    api.fail(lambda _: ok(ended if api.clock.now >= 3602 else begun), request=f"GET {DEPLOYMENT}")

    assert pods.await_rollout(client, begun).complete
    assert api.clock.now == 3602


def test_given_a_deployment_that_somebody_deletes_when_it_is_waited_for_then_the_hook_goes_on(
    client: Client, api: FakeCluster
):
    begun = deployment(counted(1, 1, 2))

    assert pods.await_rollout(client, begun) == pods.progress(begun)


# Which pods count.

PAIR = KeyPair("certificate", "key", "ca")
SERVES = {"podIP": "10.1.0.1", "conditions": [{"type": "Ready", "status": "True"}]}


def pod(name: str = "a", status: dict[str, Any] | None = None, **metadata: Any) -> Object:
    return {"metadata": {"name": name, **metadata}, "status": status or {}}


def ending(ago: float) -> Object:
    """A pod that its kubelet was to kill so many seconds ago."""
    return pod(status={"phase": "Running"}, deletionTimestamp=stamp(NOW - ago))


@pytest.mark.parametrize(
    ("found", "is_left"),
    [
        (pod(status={"phase": "Running"}), True),
        (pod(status={"phase": "Failed"}), False),
        (pod(status={"phase": "Succeeded"}), False),
        (ending(-30), True),
        (ending(pods.LOST.total_seconds()), True),
        # Its node is lost.
        (ending(pods.LOST.total_seconds() + 1), False),
    ],
)
def test_given_a_pod_of_the_former_certificate_then_it_counts_until_it_has_ended(
    found: Object, is_left: bool
):
    assert pods.names([found, pod("b")]) == (["a", "b"] if is_left else ["b"])
    assert pods.all_use([found], PAIR) is not is_left


@pytest.mark.parametrize(
    ("hashes", "expected"), [([], True), ([PAIR.hash], True), ([PAIR.hash, "former"], False)]
)
def test_given_pods_then_all_of_them_must_have_the_certificate(hashes: list[str], expected: bool):
    found = [pod(annotations={CERTIFICATE_HASH: each}) for each in hashes]

    assert pods.all_use(found, PAIR) is expected


def test_given_pods_then_those_serve_that_are_ready_and_not_ending():
    not_ready = {"type": "Ready", "status": "False"}
    scheduled = {"type": "PodScheduled", "status": "True"}
    found = [
        pod("b", {**SERVES, "podIP": "10.1.0.2"}),
        pod("a", {**SERVES, "conditions": [scheduled, *SERVES["conditions"]]}),
        pod("c", {**SERVES, "conditions": [scheduled, not_ready]}),
        pod("d", {"podIP": "10.1.0.4"}),
        pod("e", {"conditions": SERVES["conditions"]}),
        pod("f"),
        pod("g", SERVES, deletionTimestamp=stamp(NOW + 30)),
    ]

    assert pods.serving(found) == [Serving("a", "10.1.0.1"), Serving("b", "10.1.0.2")]


# What a person must do.

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


# In whole hooks.


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

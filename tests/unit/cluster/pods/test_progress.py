"""How far a rollout is, and how long a hook waits for it."""

from __future__ import annotations

from typing import Any

import pytest
from tests.fakes.kubernetes.faults import ok
from tests.fakes.kubernetes.paths import DEPLOYMENT
from tests.fakes.kubernetes.server import FakeCluster

from cluster import api as kubernetes
from cluster import pods
from cluster.api import Client
from cluster.pods import Rollout

QUOTA = 'pods "aws-iam-authenticator-5c6d7-x" is forbidden: exceeded quota: small'


@pytest.fixture(autouse=True)
def _now(api: FakeCluster) -> None:
    api.clock.now = 3600.0


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

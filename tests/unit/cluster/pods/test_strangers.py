"""A pod of somebody else with the label of the authenticator's pods."""

from __future__ import annotations

from typing import Any

import pytest
from tests.fakes.checking import NAMES
from tests.fakes.kubernetes.paths import PODS
from tests.fakes.kubernetes.server import FakeCluster

from certificates.keypair import KeyPair
from checks import StepState, authenticator
from cluster import pod_logs, pods, references
from cluster.api import Client
from cluster.pods import Rollout

OWNER: dict[str, Any] = {
    "apiVersion": "apps/v1",
    "kind": "ReplicaSet",
    "name": "aws-iam-authenticator-5c6d7",
    "uid": "1",
    "controller": True,
}


@pytest.mark.parametrize(
    "owner",
    [
        {**OWNER, "controller": False},
        {**OWNER, "kind": "DaemonSet"},
        {**OWNER, "apiVersion": "example.com/v1"},
        {**OWNER, "name": "aws-iam-authenticator-00000"},
        {**OWNER, "name": "other-5c6d7"},
    ],
)
def test_given_another_owner_when_pods_are_found_then_the_stranger_is_not_among_them(
    client: Client, api: FakeCluster, owner: dict[str, Any]
):
    api.add_pod("intruder")
    api.objects[f"{PODS}/intruder"]["metadata"]["ownerReferences"] = [owner]

    assert pods.find(client) == []


def test_given_a_pod_whose_label_somebody_took_off_then_it_is_none_of_the_deployments_any_more(
    client: Client, api: FakeCluster
):
    api.add_pod("former")
    del api.objects[f"{PODS}/former"]["metadata"]["labels"]["k8s-app"]

    assert pods.find(client) == []


def test_given_a_stranger_when_the_log_is_read_then_it_teaches_nothing(
    client: Client, api: FakeCluster
):
    api.add_log("ours", b"true")
    api.add_log("intruder", b"forged")
    del api.objects[f"{PODS}/intruder"]["metadata"]["ownerReferences"]

    assert pod_logs.read(client, 60).lines == ["true"]


def test_given_a_stranger_when_an_authority_changes_then_the_former_one_is_not_kept_for_it(
    client: Client, api: FakeCluster
):
    api.add_stranger("intruder", phase="Running")

    assert pods.all_use(pods.find(client), KeyPair("certificate", "key", "ca"))


def test_given_a_stranger_then_the_check_fails_and_says_how_to_look_at_it():
    found = authenticator.Deployed(strangers=("pod a", "pod b"), rollout=Rollout(2, 2, True, True))
    outcome = authenticator.verdict(found, NAMES)

    assert outcome.state == StepState.FAILED
    assert "pod a, pod b" in outcome.seen
    assert f"kubectl -n {references.NAMESPACE} get endpointslices" in outcome.remedy

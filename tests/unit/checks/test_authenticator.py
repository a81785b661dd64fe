"""Step 2: what the authenticator lacks, and what fixes it."""

from __future__ import annotations

import dataclasses

import pytest
from tests.fakes.checking import NAMES, RECONCILE
from tests.fakes.kubernetes.paths import ADDRESS

from checks import StepState, authenticator
from checks.authenticator import Deployed
from cluster import manifests, references
from cluster.pods import ImageNotPulled, NotCreated, NotScheduled, Rollout
from errors import Waiting
from owner import Owner

UP = Deployed(image="registry/a:v1", rollout=Rollout(2, 2, serving=True, complete=True))


@pytest.mark.parametrize(
    ("change", "said", "remedy"),
    [
        (
            {"owner": "other of model k8s (u-u-i-d)"},
            "another application owns",
            "authenticator owned by 'other of model k8s'",
        ),
        (
            {"missing": ("Secret/aws-iam-certs", "Service/aws-iam-authenticator")},
            "the cluster lacks Secret/aws-iam-certs, Service/aws-iam-authenticator",
            RECONCILE,
        ),
        ({"crd": False}, f"the cluster lacks CRD/{references.CRD}", RECONCILE),
        (
            {"service": "selector"},
            "Service/aws-iam-authenticator was changed: selector",
            RECONCILE,
        ),
        (
            {"denied": ("list", "watch")},
            "RBAC does not let the authenticator list, watch mappings",
            RECONCILE,
        ),
        (
            {
                "problem": ImageNotPulled(
                    "an authenticator pod cannot start: 'ErrImagePull: no such host'"
                )
            },
            "pod cannot start: 'ErrImagePull: no such host' (image registry/a:v1)",
            "set one that the nodes can pull: juju config aws-iam image=IMAGE",
        ),
        (
            {
                "problem": NotScheduled(
                    "an authenticator pod cannot start: 'Unschedulable: 0/1 nodes'"
                )
            },
            "Unschedulable: 0/1 nodes",
            "make room on a node, or run: kubectl uncordon NODE",
        ),
        (
            {"problem": NotCreated("an authenticator pod cannot start: 'FailedCreate: exceeded'")},
            "FailedCreate: exceeded",
            "change the quota, the policy or the webhook that refuses the pods",
        ),
        (
            {"problem": Waiting("waiting for the authenticator's pods, 1/2 updated pods ready")},
            "1/2 updated pods ready",
            "what it says: kubectl -n kube-system describe pods",
        ),
    ],
)
def test_given_something_wrong_with_the_authenticator_then_it_is_named_with_its_remedy(
    change: dict[str, object], said: str, remedy: str
) -> None:
    outcome = authenticator.verdict(dataclasses.replace(UP, **change), NAMES)

    assert outcome.state == StepState.FAILED
    assert said in outcome.seen
    assert outcome.remedy.startswith(remedy)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({}, ""),
        ({"sessionAffinity": "None"}, ""),
        ({"selector": {"k8s-app": "x"}}, "selector"),
        ({"selector": None}, "selector"),
        ({"clusterIP": "10.0.0.9"}, "clusterIP"),
        ({"ports": [{"port": 443, "targetPort": 8443}]}, "ports"),
        ({"ports": None, "selector": {}}, "selector, ports"),
    ],
)
def test_given_a_service_then_what_the_charm_did_not_set_so_is_named(
    change: dict[str, object], said: str
) -> None:
    wanted = manifests.service(Owner("aws-iam", "k8s", "u"), ADDRESS)["spec"]
    assert authenticator.changed_fields(wanted, {**wanted, **change}) == said


def test_given_a_stranger_then_the_check_fails_and_says_how_to_look_at_it():
    found = Deployed(strangers=("pod a", "pod b"), rollout=Rollout(2, 2, True, True))
    outcome = authenticator.verdict(found, NAMES)

    assert outcome.state == StepState.FAILED
    assert "pod a, pod b" in outcome.seen
    assert f"kubectl -n {references.NAMESPACE} get endpointslices" in outcome.remedy

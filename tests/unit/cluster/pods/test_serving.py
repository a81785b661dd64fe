"""Which pods count: those that log, those that get requests, those that have the certificate."""

from __future__ import annotations

from typing import Any

import pytest
from tests.fakes.kubernetes.server import FakeCluster
from tests.fakes.kubernetes.stored import stamp

from certificates import KeyPair
from cluster import pods
from cluster.api import Object
from cluster.pods import Serving
from owner import CERTIFICATE_HASH

PAIR = KeyPair("certificate", "key", "ca")
READY = {"podIP": "10.1.0.1", "conditions": [{"type": "Ready", "status": "True"}]}
NOW = 3600.0


@pytest.fixture(autouse=True)
def _now(api: FakeCluster) -> None:
    api.clock.now = NOW


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
        pod("b", {**READY, "podIP": "10.1.0.2"}),
        pod("a", {**READY, "conditions": [scheduled, *READY["conditions"]]}),
        pod("c", {**READY, "conditions": [scheduled, not_ready]}),
        pod("d", {"podIP": "10.1.0.4"}),
        pod("e", {"conditions": READY["conditions"]}),
        pod("f"),
        pod("g", READY, deletionTimestamp=stamp(NOW + 30)),
    ]

    assert pods.serving(found) == [Serving("a", "10.1.0.1"), Serving("b", "10.1.0.2")]

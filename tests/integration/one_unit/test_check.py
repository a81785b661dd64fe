"""The action that says which step of a login works, and what mends one that does not."""

from __future__ import annotations

import time

import jubilant
from tests.integration.helpers.kubernetes import Cluster

STEPS = (
    "1-kubernetes",
    "2-authenticator",
    "3-certificate",
    "4-webhook",
    "5-way-to-aws",
    "6-whole-way",
    "7-mappings",
)


def check(juju: jubilant.Juju, unit: str = "aws-iam/0") -> dict[str, str]:
    """Return the results of the action, also if it fails."""
    try:
        results = juju.run(unit, "check").results
    except jubilant.TaskError as failure:
        results = failure.task.results
    return {name: text for name, text in results.items() if name != "return-code"}


def test_given_a_healthy_deployment_when_checked_then_all_steps_are_ok_within_three_seconds(
    deployed: jubilant.Juju, cluster: Cluster
) -> None:
    began = time.monotonic()
    results = check(deployed)
    print(f"check took {time.monotonic() - began:.1f} s")
    print(deployed.cli("run", "aws-iam/leader", "check"))

    assert results["result"] == "all 7 steps are ok"
    assert [text[:3] for text in map(results.get, STEPS) if text] == ["ok:"] * 7

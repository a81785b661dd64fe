"""Mappings that are created all at once, as GitOps does."""

from __future__ import annotations

import json
from collections.abc import Iterator

import jubilant
import pytest
from tests.integration.helpers import juju_status
from tests.integration.helpers.kubernetes import MAPPINGS, Cluster, mapping

NUMBER = 300


@pytest.fixture
def created(deployed: jubilant.Juju, cluster: Cluster) -> Iterator[Cluster]:
    numbers = {"many-twin": 0, **{f"many-{n}": n for n in range(NUMBER)}}
    role, team = "arn:aws:iam::111122223333:role/Many", {"team": "many"}
    items = [mapping(name, f"{role}-{n}", name, labels=team) for name, n in numbers.items()]
    created = {"apiVersion": "v1", "kind": "List", "items": items}
    cluster.kubectl("create", "-f", "-", stdin=json.dumps(created))
    yield cluster
    cluster.kubectl("delete", MAPPINGS, "-l", "team=many", "--wait=false")


def test_given_hundreds_of_new_mappings_when_one_hook_runs_then_all_work_and_twins_are_named(
    deployed: jubilant.Juju, created: Cluster
) -> None:
    # By themselves, the pods would take half a minute.
    juju_status.run_update_status(deployed, "aws-iam/0")

    found = created.get(MAPPINGS)["items"]
    canonical = {m["spec"]["arn"].lower(): m.get("status", {}).get("canonicalARN") for m in found}
    assert len(found) > NUMBER
    assert [arn for arn, written in canonical.items() if written != arn] == []
    message = juju_status.message(deployed)
    assert f", {len(found)} mappings, " in message
    assert ", 2 broken mappings: many-0: same ARN as mapping many-twin" in message

"""Mappings that are created all at once, as GitOps does."""

from __future__ import annotations

import json
from collections.abc import Iterator

import jubilant
import pytest
from tests.integration.helpers import juju_status
from tests.integration.helpers.eventually import eventually
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


def test_given_hundreds_of_new_mappings_when_hooks_run_then_all_work_and_twins_are_named(
    deployed: jubilant.Juju, created: Cluster
) -> None:
    def said() -> str:
        # Where the API server is slow, one hook cannot write every status, and the next goes on.
        juju_status.run_update_status(deployed, "aws-iam/0")
        return juju_status.message(deployed)

    twins = ", 2 broken mappings: many-0: same ARN as mapping many-twin"
    eventually(lambda: twins in said() and not _not_effective(created), "effective")

    number = len(created.mapping_names())
    assert number > NUMBER
    assert f", {number} mappings, " in juju_status.message(deployed)
    # By themselves, the pods would write them too: five a second.
    assert "aws-iam" in _writers_of_status(created)


def _not_effective(cluster: Cluster) -> list[str]:
    """Return the names of the mappings that let nobody in yet."""
    found = cluster.get(MAPPINGS)["items"]
    return [
        each["metadata"]["name"]
        for each in found
        if each.get("status", {}).get("canonicalARN") != each["spec"]["arn"].lower()
    ]


def _writers_of_status(cluster: Cluster) -> set[str]:
    found = cluster.get(MAPPINGS, "-l", "team=many", "--show-managed-fields")["items"]
    fields = (field for each in found for field in each["metadata"]["managedFields"])
    return {field["manager"] for field in fields if field.get("subresource") == "status"}

"""Fields that client-side apply left in an object: whose they are, and whose they become."""

from __future__ import annotations

import pytest
from tests.fakes.kubernetes.paths import SERVICE
from tests.fakes.kubernetes.server import FakeCluster
from tests.fakes.owners import FORMER, OWN, Entry

from cluster import objects, references
from cluster.api import Client


def taken_over(client: Client, api: FakeCluster, *entries: Entry) -> list[Entry]:
    """Return the field managers of an object that had these ``entries``."""
    metadata = {"name": "web", "resourceVersion": "7", "managedFields": [*entries]}
    annotation = {"kubectl.kubernetes.io/last-applied-configuration": "{}"}
    api.put(SERVICE, {"metadata": {**metadata, "annotations": annotation}, "spec": {}})
    api.forget()

    stored = objects.get(client, references.SERVICE)
    assert stored
    objects._take_over(client, references.SERVICE, stored)
    after = api.objects[SERVICE]["metadata"]
    assert bool(api.changes) is not bool(after["annotations"])
    return after["managedFields"]


@pytest.mark.parametrize("entries", [[FORMER], [FORMER, OWN], [OWN, FORMER]])
def test_given_fields_of_client_side_apply_when_taken_over_then_they_are_the_charms(
    client: Client, api: FakeCluster, entries: list[Entry]
):
    assert taken_over(client, api, *entries) == [{**OWN, "fieldsV1": FORMER["fieldsV1"]}]


@pytest.mark.parametrize("manager", ["kubectl-edit", "kubectl"])
def test_given_fields_of_somebody_else_then_they_stay_theirs(
    client: Client, api: FakeCluster, manager: str
):
    theirs = {**FORMER, "manager": manager}

    assert taken_over(client, api, theirs, OWN) == [theirs, OWN]
    assert theirs in taken_over(client, api, theirs, FORMER, OWN)

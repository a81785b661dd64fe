"""`apply` makes an object as it is wanted."""

from __future__ import annotations

from typing import Any

import pytest
from tests.fakes.kubernetes.server import FakeCluster

from cluster import objects
from cluster.api import Client

FURTHER = "/api/v1/namespaces/kube-system/configmaps/further"
MANIFEST: dict[str, Any] = {
    "apiVersion": "v1",
    "kind": "ConfigMap",
    "metadata": {
        "name": "further",
        "namespace": "kube-system",
        "labels": {"aws-iam": "true"},
    },
    "data": {"since": "2026-11-26"},
}
# In a cluster that has all that the charm makes.
pytestmark = pytest.mark.usefixtures("deployed")


@pytest.mark.parametrize("known", [False, True])
def test_given_an_object_that_is_so_already_when_it_is_applied_then_nothing_is_written(
    client: Client, api: FakeCluster, known: bool
):
    before = objects.apply(client, MANIFEST)
    assert before == api.objects[FURTHER]
    api.forget()

    assert objects.apply(client, MANIFEST, before if known else None) == before
    assert api.changes == []


@pytest.mark.parametrize("keep_data", [False, True])
def test_given_data_of_a_former_pod_when_it_is_kept_then_it_stays_beside_the_new(
    client: Client, api: FakeCluster, keep_data: bool
):
    objects.apply(client, MANIFEST)
    new = {**MANIFEST, "data": {"until": "2026-12-31"}}

    for _ in range(2):
        objects.apply(client, new, keep_data=keep_data)

    kept = MANIFEST["data"] if keep_data else {}
    assert api.objects[FURTHER]["data"] == {**kept, **new["data"]}
    api.forget()
    objects.apply(client, new)
    assert api.objects[FURTHER]["data"] == new["data"]
    assert bool(api.changes) is keep_data

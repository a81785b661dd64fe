"""`apply` makes an object as it is wanted."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from tests.fakes.kubernetes.faults import refusal
from tests.fakes.kubernetes.paths import EVENTS_ROLE_BINDING
from tests.fakes.kubernetes.server import FakeCluster

from cluster import sync
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
OTHER = {**MANIFEST, "data": {"since": "2026-11-27"}}
# In a cluster that has all that the charm makes.
pytestmark = pytest.mark.usefixtures("deployed")


def test_given_no_object_when_it_is_applied_then_it_is_there_and_is_returned(
    client: Client, api: FakeCluster
):
    api.forget()

    applied = sync.apply(client, MANIFEST)

    assert api.requests == [f"GET {FURTHER}", f"PATCH {FURTHER}"]
    assert applied == api.objects[FURTHER]
    assert applied["data"] == MANIFEST["data"]


@pytest.mark.parametrize("known", [False, True])
def test_given_an_object_that_is_so_already_when_it_is_applied_then_nothing_is_written(
    client: Client, api: FakeCluster, known: bool
):
    before = sync.apply(client, MANIFEST)
    api.forget()

    assert sync.apply(client, MANIFEST, before if known else None) == before
    assert api.requests == ([] if known else [f"GET {FURTHER}"])


@pytest.mark.parametrize("others_write", [False, True])
def test_given_fields_of_kubectl_apply_when_it_is_applied_then_they_become_the_charms_first(
    client: Client, api: FakeCluster, others_write: bool
):
    kubectl = {
        "manager": "kubectl-client-side-apply",
        "operation": "Update",
        "apiVersion": "v1",
        "fieldsV1": {"f:data": {"f:since": {}}},
    }
    written = {"generation": 1, "resourceVersion": "1", "managedFields": [kubectl]}
    api.put(FURTHER, {**MANIFEST, "metadata": {**MANIFEST["metadata"], **written}})
    if others_write:
        api.fail(refusal(409, "the object has been modified"), request=f"PATCH {FURTHER}", nth=1)
    api.forget()

    sync.apply(client, OTHER)

    again = [f"PATCH {FURTHER}", f"GET {FURTHER}"] if others_write else []
    assert api.requests == [f"GET {FURTHER}", *again, f"PATCH {FURTHER}", f"PATCH {FURTHER}"]
    adoption, application = (seen.body for seen in api.seen[-2:])
    assert [each["manager"] for each in adoption["metadata"]["managedFields"]] == ["aws-iam"]
    assert application == OTHER
    assert api.objects[FURTHER]["data"] == OTHER["data"]


@pytest.mark.parametrize(
    ("role", "requests"),
    [("aws-iam-authenticator", ["GET", "PATCH"]), ("view", ["GET", "DELETE", "PATCH"])],
)
def test_given_a_binding_that_others_changed_when_it_is_applied_then_another_role_makes_it_anew(
    client: Client, api: FakeCluster, role: str, requests: list[str]
):
    manifest = copy.deepcopy(api._fields[EVENTS_ROLE_BINDING])
    api.objects[EVENTS_ROLE_BINDING]["roleRef"]["name"] = role
    api.objects[EVENTS_ROLE_BINDING]["metadata"]["labels"].clear()
    api.forget()

    sync.apply(client, manifest)

    assert api.requests == [f"{each} {EVENTS_ROLE_BINDING}" for each in requests]
    assert api.objects[EVENTS_ROLE_BINDING]["roleRef"] == manifest["roleRef"]

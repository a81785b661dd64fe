"""Whether an apply would change an object: by what its manager owns, and by the values."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest
from tests.fakes.juju.model import Model
from tests.fakes.kubernetes.paths import SERVICE
from tests.fakes.kubernetes.server import FakeCluster
from tests.fakes.owners import FORMER, OWN

from cluster.managed_fields import is_applied

Object = dict[str, Any]

PORT = 'k:{"port":443,"protocol":"TCP"}'
MANIFEST: Object = {
    "apiVersion": "v1",
    "kind": "Service",
    "metadata": {"name": "web", "namespace": "default", "labels": {"app": "web"}},
    "spec": {
        "clusterIP": "10.152.183.20",
        "selector": {"app": "web"},
        "ports": [{"port": 443, "targetPort": 8443}],
    },
}
FIELDS: Object = {
    "f:metadata": {"f:labels": {"f:app": {}}},
    "f:spec": {
        "f:clusterIP": {},
        "f:selector": {},
        "f:ports": {PORT: {".": {}, "f:port": {}, "f:targetPort": {}}},
    },
}
# As Kubernetes 1.37 writes it, but for what the charm does not read.
STORED: Object = {
    "metadata": {
        **MANIFEST["metadata"],
        "resourceVersion": "7",
        "managedFields": [FORMER, {**OWN, "fieldsV1": FIELDS}],
    },
    "spec": {
        **MANIFEST["spec"],
        "clusterIPs": ["10.152.183.20"],
        "ports": [{"port": 443, "targetPort": 8443, "protocol": "TCP"}],
    },
}


def own(stored: Object) -> Object:
    """What the charm's entry says."""
    return stored["metadata"]["managedFields"][1]


def test_given_an_object_as_it_was_applied_then_an_apply_would_change_nothing():
    assert is_applied(MANIFEST, STORED, "aws-iam")


def test_given_fields_and_items_of_others_beside_it_then_an_apply_would_leave_them():
    stored = copy.deepcopy(STORED)
    stored["metadata"]["annotations"] = {"a": "b"}
    stored["spec"]["ports"].insert(0, {"port": 8080, "protocol": "TCP"})

    assert is_applied(MANIFEST, stored, "aws-iam")


@pytest.mark.parametrize(
    "change",
    [
        lambda each: each["metadata"]["labels"].update(app="other"),
        lambda each: each["metadata"].pop("labels"),
        lambda each: each["spec"]["selector"].update(more="x"),
        lambda each: each["spec"].update(selector=None),
        lambda each: each["spec"]["ports"].pop(),
        lambda each: each["spec"]["ports"][0].update(targetPort=1),
        lambda each: each["metadata"].pop("managedFields"),
        lambda each: each["metadata"].update(managedFields=None),
        lambda each: own(each).update(manager="kubectl"),
        lambda each: own(each).update(operation="Update"),
        lambda each: own(each).update(apiVersion="v2"),
        lambda each: own(each).update(subresource="status"),
        lambda each: own(each).update(fieldsV1=None),
        lambda each: own(each)["fieldsV1"]["f:spec"].pop("f:clusterIP"),
        lambda each: own(each)["fieldsV1"]["f:spec"].update({"f:type": {}}),
        lambda each: own(each)["fieldsV1"]["f:spec"]["f:ports"].pop(PORT),
    ],
)
def test_given_another_value_or_owner_then_it_is_applied_again(change: Callable[[Object], None]):
    stored = copy.deepcopy(STORED)
    change(stored)

    assert not is_applied(MANIFEST, stored, "aws-iam")


@pytest.mark.parametrize(
    "change",
    [
        lambda each: each["metadata"]["labels"].update(more="x"),
        lambda each: each["metadata"].pop("labels"),
        lambda each: each["spec"].update(clusterIP="10.152.183.21"),
        lambda each: each["spec"].update(clusterIP=None),
        lambda each: each["spec"]["ports"].append({"port": 1}),
        lambda each: each["spec"]["ports"][0].update(port=444),
    ],
)
def test_given_a_manifest_that_has_changed_then_it_is_applied(change: Callable[[Object], None]):
    manifest = copy.deepcopy(MANIFEST)
    change(manifest)

    assert not is_applied(manifest, STORED, "aws-iam")


@pytest.mark.parametrize(
    ("wanted", "found", "expected"),
    [
        (["a"], ["b", "a"], True),
        (["a"], ["b"], False),
        (["b"], ["b"], False),
        (["a", "b"], ["a", "b"], False),
        (["a"], None, False),
    ],
)
def test_given_a_list_of_values_then_the_charms_must_be_in_it(
    wanted: list[str], found: list[str] | None, expected: bool
):
    manifest, stored = copy.deepcopy(MANIFEST), copy.deepcopy(STORED)
    manifest["metadata"]["finalizers"] = wanted
    stored["metadata"]["finalizers"] = found
    own(stored)["fieldsV1"]["f:metadata"]["f:finalizers"] = {'v:"a"': {}}

    assert is_applied(manifest, stored, "aws-iam") == expected


# In a hook.


def test_given_objects_without_managers_when_hooks_run_then_one_applies_them_and_the_next_reads(
    deployed: Model, api: FakeCluster
):
    api.disown()
    deployed.hook()
    assert f"PATCH {SERVICE}" in api.changes
    applied = [request.query for request in api.seen if request.method == "PATCH"]
    assert all(query == {"force": "true", "fieldManager": "aws-iam"} for query in applied)

    api.forget()
    deployed.hook()

    assert {request.partition(" ")[0] for request in api.requests} == {"GET"}

"""Whether an apply would change an object: what is wanted is compared with what is stored."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from cluster.manifests import holds

Object = dict[str, Any]

WANTED: Object = {
    "metadata": {"labels": {"app": "web"}, "finalizers": ["a"]},
    "spec": {
        "clusterIP": "10.152.183.20",
        "selector": {"app": "web"},
        "ports": [{"port": 443, "targetPort": 8443}],
        "volumes": [{"name": "one"}, {"name": "two"}],
        "args": ["server", "--port=1"],
    },
    "rules": [{"verbs": ["get"]}],
    "data": {"key": "value"},
    "openAPIV3Schema": {"properties": {"groups": {"type": "array"}}},
}
# As Kubernetes completes it.
STORED = copy.deepcopy(WANTED)
STORED["metadata"] |= {"resourceVersion": "7", "annotations": {"a": "b"}}
STORED["spec"]["clusterIPs"] = ["10.152.183.20"]
STORED["spec"]["ports"][0]["protocol"] = "TCP"


@pytest.mark.parametrize(
    "change",
    [
        lambda _: None,
        lambda each: each["metadata"]["labels"].update(more="x"),
        lambda each: each["metadata"]["finalizers"].append("others"),
        lambda each: each["spec"]["volumes"].reverse(),
    ],
    ids=["completed", "others' label", "others' finalizer", "another order"],
)
def test_given_an_object_with_all_that_is_wanted_then_an_apply_would_change_nothing(
    change: Callable[[Object], None],
):
    stored = copy.deepcopy(STORED)
    change(stored)

    assert holds(stored, WANTED)


@pytest.mark.parametrize(
    "change",
    [
        lambda each: each.pop("spec"),
        lambda each: each["metadata"]["labels"].update(app="other"),
        lambda each: each["metadata"].pop("labels"),
        lambda each: each["metadata"].update(finalizers=None),
        lambda each: each["spec"]["selector"].update(more="x"),
        lambda each: each["spec"].update(clusterIP=None),
        lambda each: each["spec"]["ports"].append({"port": 1}),
        lambda each: each["spec"]["ports"][0].update(targetPort=1),
        lambda each: each["spec"].update(ports=None),
        lambda each: each["spec"]["volumes"].append({"name": "three"}),
        lambda each: each["spec"]["volumes"].pop(),
        lambda each: each["spec"]["args"].reverse(),
        lambda each: each["rules"][0].update(resourceNames=["x"]),
        lambda each: each["data"].update(former="x"),
        lambda each: each["openAPIV3Schema"]["properties"]["groups"].update(default=["x"]),
    ],
)
def test_given_another_value_then_it_is_applied_again(change: Callable[[Object], None]):
    stored = copy.deepcopy(STORED)
    change(stored)

    assert not holds(stored, WANTED)

"""`explain-access`: what people call a resource, and what the API server is asked then."""

from __future__ import annotations

from typing import Any

import ops.testing
import pytest
from tests.fakes.explaining import explained
from tests.fakes.juju.model import Model
from tests.fakes.kubernetes.faults import refusal
from tests.fakes.kubernetes.rbac import REVIEWS
from tests.fakes.kubernetes.server import FakeCluster
from tests.unit.actions.test_list_mappings import add


@pytest.fixture
def mapped(deployed: Model, api: FakeCluster) -> Model:
    """Somebody is mapped."""
    add(api, "dev", "dev", "alice")
    deployed.hook()
    api.forget()
    return deployed


def asked(api: FakeCluster) -> dict[str, Any]:
    """What the server was asked last, without the verb."""
    *_, review = [seen.body["spec"] for seen in api.seen if seen.path == REVIEWS]
    about = review.get("resourceAttributes") or review["nonResourceAttributes"]
    return {key: value for key, value in about.items() if value and key != "verb"}


def refused(model: Model, **params: str) -> str:
    """How the action fails."""
    with pytest.raises(ops.testing.ActionFailed) as failure:
        explained(model, verb="get", **params)
    return failure.value.message


@pytest.mark.parametrize("aggregates", [True, False], ids=["at once", "one by one"])
@pytest.mark.parametrize(
    ("name", "resource", "group", "subresource"),
    [
        ("pods", "pods", "", ""),
        ("pod", "pods", "", ""),
        ("po", "pods", "", ""),
        ("Pod", "pods", "", ""),
        ("po/exec", "pods", "", "exec"),
        ("pods/log", "pods", "", "log"),
        ("deployments", "deployments", "apps", ""),
        ("deploy", "deployments", "apps", ""),
        ("deployments.apps", "deployments", "apps", ""),
        ("deployment.apps/scale", "deployments", "apps", "scale"),
        # Of several, the first of the server's.
        ("ev", "events", "", ""),
        ("events.events.k8s.io", "events", "events.k8s.io", ""),
        ("pods.metrics.k8s.io", "pods", "metrics.k8s.io", ""),
        # What only roles name.
        ("groups", "groups", "", ""),
        ("nodes/metrics", "nodes", "", "metrics"),
        ("*", "*", "", ""),
        ("*.*", "*", "*", ""),
    ],
)
def test_given_what_people_call_a_resource_when_explained_then_the_server_is_asked_by_its_name(
    mapped: Model,
    api: FakeCluster,
    aggregates: bool,
    name: str,
    resource: str,
    group: str,
    subresource: str,
):
    api.aggregates = aggregates

    explained(mapped, verb="get", resource=name)

    named = {"resource": resource, "group": group, "subresource": subresource}
    assert asked(api) == {key: value for key, value in named.items() if value}


@pytest.mark.parametrize("aggregates", [True, False], ids=["at once", "one by one"])
@pytest.mark.parametrize(
    ("name", "nearest"),
    [
        ("pood", "did you mean pod?"),
        ("deploymets", "did you mean deployments?"),
        ("deployments.app", "did you mean deployments.apps?"),
        ("pods/exek", "did you mean pods/exec?"),
        ("pods/", None),
        ("zzz", "see: kubectl api-resources"),
        ("x" * 100_000, "see: kubectl api-resources"),
    ],
)
def test_given_an_unknown_resource_when_explained_then_the_nearest_is_named(
    mapped: Model, api: FakeCluster, aggregates: bool, name: str, nearest: str | None
):
    api.aggregates = aggregates
    if nearest is None:
        assert explained(mapped, verb="get", resource=name)
        return

    said = refused(mapped, resource=name)

    assert said.startswith("the cluster has no resource ")
    assert said.endswith(f"; {nearest}")
    assert REVIEWS not in [seen.path for seen in api.seen]


def test_given_a_path_when_explained_then_the_server_is_asked_for_that_url(
    mapped: Model, api: FakeCluster
):
    line = explained(mapped, verb="get", resource="/healthz")[-1]

    assert line == "may alice get /healthz? yes"
    assert asked(api) == {"path": "/healthz"}
    assert not [seen for seen in api.seen if seen.path == "/apis"]


@pytest.mark.parametrize("extra", [{"namespace": "default"}, {"name": "x"}])
def test_given_a_path_in_a_namespace_when_explained_then_the_action_says_what_to_leave_out(
    mapped: Model, extra: dict[str, str]
):
    assert refused(mapped, resource="/metrics", **extra) == (
        "/metrics is a path of the API server: leave out namespace and name"
    )


def test_given_a_resource_without_namespaces_when_explained_then_none_is_named(mapped: Model):
    line = explained(mapped, verb="get", resource="no")[-1]

    assert line == "may alice get nodes? no: no role of these allows it"
    assert refused(mapped, resource="nodes", namespace="default") == (
        "nodes are in no namespace: leave out namespace"
    )


def test_given_a_group_whose_server_is_down_when_explained_then_others_are_found(
    mapped: Model, api: FakeCluster
):
    api.aggregates = False
    api.fail(refusal(503, "service unavailable"), request="GET /apis/metrics.k8s.io/v1")

    explained(mapped, verb="get", resource="deploy")

    assert asked(api) == {"resource": "deployments", "group": "apps"}
    assert "metrics.k8s.io" in refused(mapped, resource="pods.metrics.k8s.io")

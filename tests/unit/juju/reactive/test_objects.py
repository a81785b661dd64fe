"""Objects of client-side apply: their fields become the charm's before it first applies them."""

from __future__ import annotations

import copy

import httpx2
import pytest
from tests.fakes.juju.model import Model
from tests.fakes.kubernetes.faults import unreachable
from tests.fakes.kubernetes.paths import DEFINITION, SERVICE
from tests.fakes.kubernetes.server import FakeCluster, Seen
from tests.fakes.owners import FORMER, OWN, mark, marks

from owner import FINALIZER


@pytest.fixture
def reactive(deployed: Model, api: FakeCluster) -> Model:
    """The charm, refreshed from one whose objects are kubectl's."""
    for path in marks(api):
        api.objects[path]["metadata"]["managedFields"] = [copy.deepcopy(FORMER)]
        mark(api, path, None)
    del api.objects[SERVICE]["metadata"]["finalizers"]
    api.objects[DEFINITION]["metadata"]["managedFields"] = [copy.deepcopy(FORMER)]
    api.objects[DEFINITION]["spec"]["names"]["singular"] = "mapping"
    api.forget()
    return deployed


def adoptions(api: FakeCluster) -> list[Seen]:
    """The requests that changed an object's field managers."""
    return [seen for seen in api.seen if seen.body and "managedFields" in seen.body["metadata"]]


def applies(api: FakeCluster, path: str) -> list[Seen]:
    """The applies of an object."""
    sent = [seen for seen in api.seen if seen.method == "PATCH" and seen.path == path]
    return [seen for seen in sent if seen not in adoptions(api)]


def is_adopted_first(api: FakeCluster, path: str) -> bool:
    """Whether the first that happened to an object is its adoption."""
    changes = [seen for seen in api.seen if seen.method == "PATCH" and seen.path == path]
    return changes[0] in adoptions(api)


def test_given_objects_of_kubectl_when_a_hook_runs_then_each_is_adopted_and_then_applied_once(
    reactive: Model, api: FakeCluster
):
    assert reactive.hook().name == "active"

    paths = {*marks(api), DEFINITION}
    assert {seen.path for seen in adoptions(api)} == paths
    assert all(is_adopted_first(api, path) for path in paths)
    assert all(len(applies(api, path)) == 1 for path in paths - {SERVICE})
    for seen in adoptions(api):
        assert seen.body["metadata"]["managedFields"] == [{**OWN, "fieldsV1": FORMER["fieldsV1"]}]
    for path in paths:
        [entry] = api.objects[path]["metadata"]["managedFields"]
        assert (entry["manager"], entry["operation"]) == ("aws-iam", "Apply")
    assert api.objects[SERVICE]["metadata"]["finalizers"] == [FINALIZER]


def test_given_adopted_objects_when_the_next_hook_runs_then_it_looks_at_the_service_alone(
    reactive: Model, api: FakeCluster
):
    reactive.hook()
    api.forget()
    reactive.hook()

    assert adoptions(api) == api.changes == []
    assert len(api.seen) == 19


@pytest.mark.parametrize("nth", range(1, 25))
def test_given_a_hook_that_dies_on_the_way_when_the_next_runs_then_all_is_adopted_first(
    reactive: Model, api: FakeCluster, nth: int
):
    paths = {*marks(api), DEFINITION}
    died = unreachable(httpx2.ReadTimeout)
    api.fail(died, nth=nth)
    reactive.hook()
    api.recover()
    reactive.hook()

    assert reactive.hook().name == "active"
    assert all(is_adopted_first(api, path) for path in paths)

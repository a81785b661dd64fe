"""Fields that client-side apply left in an object: whose they are, and whose they become."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.fakes.kubernetes.paths import SERVICE
from tests.fakes.kubernetes.server import FakeCluster
from tests.fakes.owners import FORMER, OWN, Entry

from cluster import objects, references
from cluster.api import Client

TREES = st.recursive(
    st.just({}), lambda inner: st.dictionaries(st.sampled_from("abcd"), inner, max_size=3)
)
OLDER = {**FORMER, "manager": "before-first-apply", "fieldsV1": {"f:spec": {}}}
UNKNOWN = {"fieldsV1": None}


def taken_over(client: Client, api: FakeCluster, *entries: Entry) -> list[Entry]:
    """Return the field managers of an object that had these ``entries``."""
    metadata = {"name": "web", "resourceVersion": "7", "managedFields": [*entries]}
    annotation = {"kubectl.kubernetes.io/last-applied-configuration": "{}"}
    api.put(SERVICE, {"metadata": {**metadata, "annotations": annotation}, "spec": {}})
    api.forget()

    stored = objects.get(client, references.SERVICE)
    assert stored
    after = objects.take_over(client, references.SERVICE, stored)
    assert after == api.objects[SERVICE]
    assert bool(api.changes) is not bool(after["metadata"]["annotations"])
    return after["metadata"]["managedFields"]


@pytest.mark.parametrize(
    ("entries", "fields"),
    [
        # What kubectl has set includes what the charm has.
        ([FORMER, OWN], FORMER["fieldsV1"]),
        ([FORMER], FORMER["fieldsV1"]),
        ([FORMER, OLDER], {**FORMER["fieldsV1"], "f:spec": {}}),
        ([{**FORMER, **UNKNOWN}, {**OWN, **UNKNOWN}], {}),
        ([{**FORMER, "manager": "kubectl"}, OWN], FORMER["fieldsV1"]),
    ],
)
def test_given_fields_of_client_side_apply_when_taken_over_then_they_are_the_charms(
    client: Client, api: FakeCluster, entries: list[Entry], fields: Any
):
    assert taken_over(client, api, *entries) == [{**OWN, "fieldsV1": fields}]


@pytest.mark.parametrize(
    "other",
    [
        {"manager": "kubectl-edit", "operation": "Update"},
        {"manager": "kubectl", "operation": "Apply"},
        {"manager": "kubectl", "operation": "Update", "subresource": "scale"},
    ],
    ids=lambda entry: "-".join(entry.values()),
)
def test_given_fields_of_somebody_else_then_they_stay_theirs(
    client: Client, api: FakeCluster, other: Entry
):
    theirs = {**FORMER, **other}

    assert taken_over(client, api, theirs, OWN) == [theirs, OWN]
    assert theirs in taken_over(client, api, theirs, FORMER, OWN)


@given(TREES, TREES)
def test_given_any_fields_when_taken_over_then_none_is_lost_and_none_is_made_up(
    one: Entry, other: Entry
):
    assert paths(objects._union(one, other)) == paths(one) | paths(other)


def paths(tree: Entry, at: tuple[str, ...] = ()) -> set[tuple[str, ...]]:
    """Return every place in a tree of fields."""
    below = (paths(inner, (*at, key)) for key, inner in tree.items())
    return {at}.union(*below)

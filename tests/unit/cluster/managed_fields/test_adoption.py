"""Fields that client-side apply left in an object: whose they are, and whose they become."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.fakes.owners import FORMER, OWN, Entry

from cluster import managed_fields

TREES = st.recursive(
    st.just({}), lambda inner: st.dictionaries(st.sampled_from("abcd"), inner, max_size=3)
)


def metadata(*entries: Entry) -> dict[str, Any]:
    return {"resourceVersion": "7", "managedFields": list(entries)}


def paths(tree: Entry, at: tuple[str, ...] = ()) -> set[tuple[str, ...]]:
    """Every place in a tree of fields."""
    below = (paths(inner, (*at, key)) for key, inner in tree.items())
    return {at}.union(*below)


def test_given_fields_of_client_side_apply_when_taken_over_then_they_are_the_charms():
    patch = managed_fields.adoption(metadata(FORMER, OWN), "aws-iam")

    assert patch == {
        "metadata": {
            "resourceVersion": "7",
            "annotations": {"kubectl.kubernetes.io/last-applied-configuration": None},
            # What kubectl has set includes what the charm has.
            "managedFields": [{**OWN, "fieldsV1": FORMER["fieldsV1"]}],
        }
    }


def test_given_an_object_that_the_charm_has_not_applied_when_taken_over_then_all_is_the_charms():
    older = {**FORMER, "manager": "before-first-apply", "fieldsV1": {"f:spec": {}}}
    patch = managed_fields.adoption(metadata(FORMER, older), "aws-iam")

    assert patch
    assert patch["metadata"]["managedFields"] == [
        {**OWN, "fieldsV1": {**FORMER["fieldsV1"], "f:spec": {}}}
    ]


def test_given_managers_without_fields_when_taken_over_then_they_add_none():
    none = {"fieldsV1": None}
    patch = managed_fields.adoption(metadata({**FORMER, **none}, {**OWN, **none}), "aws-iam")

    assert patch
    assert patch["metadata"]["managedFields"] == [{**OWN, "fieldsV1": {}}]


@pytest.mark.parametrize("manager", ["kubectl", "before-first-apply"])
def test_given_an_older_name_of_client_side_apply_then_its_fields_are_taken_over(manager: str):
    patch = managed_fields.adoption(metadata({**FORMER, "manager": manager}, OWN), "aws-iam")

    assert patch
    assert [entry["manager"] for entry in patch["metadata"]["managedFields"]] == ["aws-iam"]


@pytest.mark.parametrize(
    "other",
    [
        {"manager": "kubectl-edit", "operation": "Update"},
        {"manager": "kubectl", "operation": "Apply"},
        {"manager": "kubectl", "operation": "Update", "subresource": "scale"},
    ],
    ids=lambda entry: "-".join(entry.values()),
)
def test_given_fields_of_somebody_else_then_they_stay_theirs(other: Entry):
    theirs = {**FORMER, **other}

    assert managed_fields.adoption(metadata(theirs, OWN), "aws-iam") is None
    patch = managed_fields.adoption(metadata(theirs, FORMER, OWN), "aws-iam")
    assert patch
    assert theirs in patch["metadata"]["managedFields"]


@pytest.mark.parametrize("entries", [None, [OWN]], ids=["nobody", "own"])
def test_given_nothing_to_take_over_then_there_is_no_patch(entries: list[Entry] | None):
    found = {"resourceVersion": "7", "managedFields": entries}

    assert managed_fields.adoption(found, "aws-iam") is None


@given(TREES, TREES, TREES)
def test_given_any_fields_when_taken_over_then_none_is_lost_and_none_is_made_up(
    one: Entry, two: Entry, three: Entry
):
    entries = [
        {**OWN, "fieldsV1": one},
        {**FORMER, "fieldsV1": two},
        {**FORMER, "manager": "before-first-apply", "fieldsV1": three},
    ]
    patch = managed_fields.adoption(metadata(*entries), "aws-iam")

    assert patch
    [entry] = patch["metadata"]["managedFields"]
    assert paths(entry["fieldsV1"]) == paths(one) | paths(two) | paths(three)

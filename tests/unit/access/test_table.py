"""The table of all mappings: its pages, and what is cut."""

from __future__ import annotations

import json

import pytest

from access import rbac
from access import table as listing
from access.mapping import IdentityMapping
from access.rights import Right, bindings

ROLE = "arn:aws:iam::111122223333:role"


@pytest.mark.parametrize("limit", [300, 1_000])
def test_given_a_mapping_longer_than_a_page_when_listed_then_it_is_cut_and_the_others_are_whole(
    limit: int,
):
    found = [
        IdentityMapping("a", "x" * 2_000, "\u4e2d" * 2_000, ""),
        IdentityMapping("b", f"{ROLE}/b", "bob", f"{ROLE}/b"),
    ]
    rows = listing.rows(found, {}, rbac.Bindings(()))

    for pages in (listing.tables(rows, limit), listing.jsons(rows, limit)):
        assert all(len(page.encode()) <= limit for page in pages)
    assert listing.tables(rows, limit)[0].endswith("…")
    short, whole = (item for page in listing.jsons(rows, limit) for item in json.loads(page))
    assert short["problem"] == "too long to show: kubectl get iamidentitymapping a -o yaml"
    assert whole["username"] == "bob"


def test_given_a_mapping_with_long_groups_when_listed_then_they_hide_nothing_of_what_it_gives():
    groups = (*(f"{n:01024}" for n in range(200)), "ops", "system:masters")
    power = "create pods in kube-system"
    binding = rbac.Binding("b", "", "ClusterRole", "ops", groups=("ops",), powers=(power,))
    found = [IdentityMapping("a", f"{ROLE}/Dev", "dev", "", groups)]
    rows = listing.rows(found, {"a": "same ARN as mapping b"}, rbac.Bindings([binding]))

    (page,) = listing.tables(rows, 100_000)
    assert "everything (system:masters)" in page
    assert power in page
    assert page.endswith("same ARN as mapping b")
    (item,) = json.loads(listing.jsons(rows, 100_000)[0])
    assert (item["superuser"], item["administrator_by"]) == (True, [f"{power} (ClusterRole/ops)"])


def test_given_roles_that_come_with_a_mapping_when_listed_then_only_these_are_its_own():
    ((_, made),) = bindings("dev", [Right("edit", namespaces=("team",))], "option")
    role = ("ClusterRole", "edit")
    found = [
        rbac.Binding(made.name, "team", *role, groups=(made.group,)),
        rbac.Binding("another's", "other", *role, groups=(made.group,)),
        rbac.Binding("a person's", "", "ClusterRole", "view", groups=(made.group,)),
    ]
    mapping = IdentityMapping("dev", f"{ROLE}/Dev", "dev", "", (made.group,))
    rows = listing.rows([mapping], {}, rbac.Bindings(found))

    assert listing.given(mapping, rbac.Bindings(found)) == [
        "ClusterRole/edit in team (own)",
        "ClusterRole/edit in other",
        "ClusterRole/view",
    ]
    (item,) = json.loads(listing.jsons(rows, 100_000)[0])
    assert item["own_roles"] == ["ClusterRole/edit in team"]
    assert item["roles"] == [
        "ClusterRole/edit in team",
        "ClusterRole/edit in other",
        "ClusterRole/view",
    ]

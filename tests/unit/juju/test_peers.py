"""What the leader tells the other units, and for which control plane that stays true."""

from __future__ import annotations

import dataclasses

import pytest

from juju.peers import Shared, ended

DEPLOYED = Shared(
    cluster_id="prod",
    address="10.152.183.20",
    ca="the bundle",
    serving=True,
    relations=frozenset({"2", "3"}),
)


@pytest.mark.parametrize(
    ("before", "now", "stays"),
    [("23", "23", 1), ("23", "2", 1), ("23", "34", 1), ("23", "4", 0), ("", "4", 0)],
)
def test_given_a_relation_that_goes_on_or_another_then_all_stays_or_ids_and_address_alone(
    before: str, now: str, stays: int
):
    relations = frozenset(now)
    found = dataclasses.replace(DEPLOYED, relations=frozenset(before)).of_relations(relations)

    new = Shared("prod", "10.152.183.20", relations=relations)
    assert found == (dataclasses.replace(DEPLOYED, relations=relations) if stays else new)


@pytest.mark.parametrize("text", ["", "{", "5", "[[]]", "[" * 100_000])
def test_given_a_databag_that_holds_anything_else_then_no_access_is_known_to_have_ended(text: str):
    assert ended(text) == ()

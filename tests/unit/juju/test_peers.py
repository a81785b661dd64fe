"""What the leader tells the other units, and for which control plane that stays true."""

from __future__ import annotations

import dataclasses

import pytest

from juju.peers import Shared

DEPLOYED = Shared(
    cluster_id="prod",
    address="10.152.183.20",
    ca="the bundle",
    serving=True,
    relations=frozenset({"2", "3"}),
)


@pytest.mark.parametrize("now", [{"2", "3"}, {"2"}, {"3", "4"}], ids=["same", "left", "moved"])
def test_given_a_relation_that_goes_on_then_all_that_was_deployed_stays_true(now: set[str]):
    relations = frozenset(now)

    assert DEPLOYED.of_relations(relations) == dataclasses.replace(DEPLOYED, relations=relations)


@pytest.mark.parametrize("before", [frozenset({"2", "3"}), frozenset[str]()])
def test_given_another_control_plane_then_ids_and_address_stay_and_nothing_serves(
    before: frozenset[str],
):
    found = dataclasses.replace(DEPLOYED, relations=before).of_relations(frozenset({"4"}))

    assert found == Shared("prod", "10.152.183.20", relations=frozenset({"4"}))

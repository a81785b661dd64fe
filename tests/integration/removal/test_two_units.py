"""Removals of two units on Charmed Kubernetes 1.28."""

from __future__ import annotations

import pytest
from tests.integration.helpers import units
from tests.integration.helpers.removing import Site
from tests.integration.removal import situations

pytestmark = [pytest.mark.slow, pytest.mark.weekly]

CHANNEL, UNITS = "1.28/stable", 2


@pytest.mark.parametrize("leads", [True, False], ids=["leader-first", "leader-last"])
def test_given_two_units_when_they_go_one_after_the_other_then_nothing_else_stays(
    site: Site, leads: bool
) -> None:
    situations.active(site)
    leader, followers = units.leader(site.juju), units.followers(site.juju)

    with site.only_people_stay():
        site.remove_last(followers if leads else [leader])

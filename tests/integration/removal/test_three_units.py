"""Removals of three units, of which one leads."""

from __future__ import annotations

import pytest
from tests.integration.helpers import juju_status, units
from tests.integration.helpers.removing import Site, names
from tests.integration.removal import situations

pytestmark = [pytest.mark.slow, pytest.mark.weekly]

CHANNEL, UNITS = "1.29/stable", 3
RENDERED = "/root/cdk/auth-webhook/auth-webhook.py"


@pytest.mark.parametrize("leads", [True, False], ids=["leader-first", "leader-last"])
def test_given_three_units_when_they_go_one_after_the_other_then_nothing_else_stays(
    site: Site, leads: bool
) -> None:
    site.serve()
    site.empty_the_option()
    leader, followers = units.leader(site.juju), units.followers(site.juju)

    with site.only_people_stay():
        site.remove_last(followers if leads else [leader])


def test_given_three_blocked_units_when_removed_as_the_page_has_it_then_nothing_else_stays(
    site: Site,
) -> None:
    site.serve()

    with site.only_people_stay():
        site.empty_the_option()
        site.remove()


@pytest.mark.parametrize("which", [0, -1])
def test_given_a_control_plane_that_still_asks_the_service_when_removed_then_that_stays(
    site: Site, which: int
) -> None:
    site.serve()
    people = site.peoples_mappings()
    unit = units.names(site.juju)[which]
    principal = units.principal(site.juju, unit)
    rendered = site.juju.exec("cat", RENDERED, unit=principal).stdout
    situations.unset(site)
    site.juju.exec(f"cat > {RENDERED} <<'EOF'\n{rendered}EOF\n", unit=principal)
    for each in units.names(site.juju):
        juju_status.run_update_status(site.juju, each)

    kept = [*site.service(), *site.changed()]
    assert f"~ {principal}:{RENDERED}" in kept

    site.remove()

    site.check_left(*names(people), *kept)
    # It renders its own file again.
    juju_status.run_update_status(site.juju, principal)

"""Removals of three units, of which one leads."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import jubilant
import pytest
from tests.integration.helpers import testbed_only, units
from tests.integration.helpers.removing import APP, CONTROL_PLANE, Site, names
from tests.integration.removal import situations

pytestmark = pytest.mark.slow

CHANNEL, UNITS = "1.29/stable", 3
# Longer than the units that are not held need to go.
HELD_SECONDS = 20
RENDERED = "/root/cdk/auth-webhook/auth-webhook.py"


@pytest.mark.parametrize("leads", [True, False], ids=["leader-first", "leader-last"])
def test_given_three_units_when_they_go_one_after_the_other_then_nothing_else_stays(
    site: Site, leads: bool
) -> None:
    situations.active(site)
    people = site.peoples_mappings()
    leader, followers = units.leader(site.juju), units.followers(site.juju)

    _remove_last(site, followers if leads else [leader])

    site.check_left(*names(people))
    assert site.peoples_mappings() == people


def test_given_three_blocked_units_when_removed_as_the_page_has_it_then_nothing_else_stays(
    site: Site,
) -> None:
    site.serve()
    people = site.peoples_mappings()
    site.empty_the_option()

    site.remove()

    site.check_left(*names(people))
    assert site.peoples_mappings() == people


@pytest.mark.parametrize("which", [0, -1])
def test_given_a_control_plane_that_still_asks_the_service_when_removed_then_that_stays(
    site: Site, which: int
) -> None:
    site.serve()
    people, service = site.peoples_mappings(), site.service()
    unit = units.names(site.juju)[which]
    principal = units.principal(site.juju, unit)
    rendered = site.juju.exec("cat", RENDERED, unit=principal).stdout
    situations.unset(site)
    site.juju.exec(f"cat > {RENDERED} <<'EOF'\n{rendered}EOF\n", unit=principal)
    for each in units.names(site.juju):
        testbed_only.run_update_status(site.juju, each)

    site.remove()

    site.check_left(*names(people), *service, f"~ {principal}:{RENDERED}")


def _remove_last(site: Site, last: list[str]) -> None:
    """Remove the application so that these units are the last to run their hooks."""
    juju = site.juju
    principals = [units.principal(juju, unit) for unit in last]
    juju.wait(jubilant.all_agents_idle, delay=0.5, successes=2)
    with ThreadPoolExecutor() as pool:
        for principal in principals:
            # One hook runs on a machine at a time, or one command.
            pool.submit(juju.exec, f"sleep {HELD_SECONDS}", unit=principal)
        juju.wait(lambda status: _are_executing(status, principals), delay=0.1)
        juju.remove_application(APP)
        juju.wait(lambda status: set(status.get_units(APP)) == {*last}, delay=0.1)
    site.wait_until_gone()


def _are_executing(status: jubilant.Status, principals: list[str]) -> bool:
    found = status.get_units(CONTROL_PLANE)
    return all(found[name].juju_status.current == "executing" for name in principals)

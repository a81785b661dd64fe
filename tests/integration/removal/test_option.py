"""Removals on Charmed Kubernetes 1.29 and newer, which learns of the webhook by an option."""

from __future__ import annotations

import pytest
from tests.integration.helpers import how_to, mapping_writers
from tests.integration.helpers.removing import MAPPINGS_TOO, PAGE, STAYS, WENT_FIRST, Site
from tests.integration.removal import on_either, situations
from tests.integration.removal.on_either import *  # noqa: F403  (its tests)

CHANNEL, UNITS = "1.29/stable", 1
# The removal that the page's command completes is that of an active unit.
EACH_CHANGE = (situations.blocked_by_an_option,)


def test_given_a_removal_as_the_page_has_it_then_the_crd_its_guard_and_people_stay(
    site: Site,
) -> None:
    site.serve()

    with site.only_people_stay():
        site.empty_the_option()
        site.remove()


def test_given_an_option_that_was_never_set_when_removed_then_nothing_else_stays(
    site: Site,
) -> None:
    site.deploy()
    site.wait_until_idle("blocked")

    site.remove()

    site.check_left()


def test_given_an_option_that_is_set_when_removed_then_its_service_stays_until_the_page_frees_it(
    site: Site,
) -> None:
    site.serve()

    with site.only_people_stay():
        with site.only_people_stay(*site.service(), *site.changed()):
            site.remove()
        *_, delete = how_to.shown(PAGE, WENT_FIRST)
        # The log names the machine of the unit that went.
        assert delete.replace("control-plane/leader", "control-plane/0") in site.log()
        on_either.let_go_of_the_address(site)
        site.run(delete)


@pytest.mark.slow
@pytest.mark.weekly
def test_given_a_delegate_who_tries_all_the_time_when_removed_and_deployed_then_none_gets_in(
    site: Site,
) -> None:
    site.serve()
    delegate = mapping_writers.writer(site.cluster, "delegate")

    with mapping_writers.Attempts(delegate, "mallory", ["system:masters"]) as attempts:
        site.empty_the_option()
        site.remove()
        # As on a cluster that has never seen this charm.
        site.run(how_to.shown(PAGE, MAPPINGS_TOO)[0])
        site.serve()

    assert attempts.refused
    assert attempts.admitted == []


def test_given_what_stays_when_the_pages_command_is_run_then_everything_is_as_before(
    site: Site,
) -> None:
    situations.active(site)
    with site.only_people_stay():
        site.remove()
    [show] = how_to.shown(PAGE, STAYS)
    assert "iamidentitymappings.iamauthenticator.k8s.aws" in site.run(show)

    site.run(how_to.shown(PAGE, MAPPINGS_TOO)[0])

    site.check_as_before()
    assert site.run(show) == "nothing\n"

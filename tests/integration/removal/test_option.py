"""Removals on Charmed Kubernetes 1.29 and newer, which learns of the webhook by an option."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from tests.integration.helpers import (
    bundle,
    how_to,
    juju_status,
    mapping_writers,
    testbed_only,
    units,
)
from tests.integration.helpers.eventually import eventually
from tests.integration.helpers.removing import (
    APP,
    LEFT,
    MAPPINGS_TOO,
    PAGE,
    WENT_FIRST,
    Site,
    names,
)
from tests.integration.removal import situations

from testbed.faults.client import Faults

CHANNEL, UNITS = "1.29/stable", 1


@pytest.mark.parametrize(
    "reach",
    [
        situations.active,
        situations.blocked_by_an_option,
        situations.without_its_former_authority,
        situations.with_a_finalizer_on_the_service,
    ],
)
def test_given_an_option_that_was_emptied_when_removed_then_the_crd_its_guard_and_people_stay(
    site: Site, reach: Callable[[Site], None]
) -> None:
    reach(site)
    people = site.peoples_mappings()
    assert people

    site.remove()

    site.check_left(*names(people))
    assert site.peoples_mappings() == people


def test_given_a_removal_as_the_page_has_it_then_the_crd_its_guard_and_people_stay(
    site: Site,
) -> None:
    site.serve()
    people = site.peoples_mappings()
    site.empty_the_option()

    site.remove()

    site.check_left(*names(people))
    assert site.peoples_mappings() == people


@pytest.mark.slow
@pytest.mark.weekly
def test_given_a_rollout_under_way_when_removed_then_the_crd_and_peoples_mappings_stay(
    site: Site,
) -> None:
    situations.active(site)
    people = site.peoples_mappings()

    with site.cluster.without_room():
        site.juju.config(APP, {"image": bundle.OTHER_IMAGE})
        site.wait_until_idle("blocked")
        assert "pod cannot start" in juju_status.message(site.juju, units.leader(site.juju))
        site.remove()

    site.check_left(*names(people))
    assert site.peoples_mappings() == people


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
    people, kept = site.peoples_mappings(), [*site.service(), *site.changed()]

    site.remove()

    site.check_left(*names(people), *kept)
    *_, delete = how_to.shown(PAGE, WENT_FIRST)
    # The log names the machine of the unit that went.
    assert delete.replace("control-plane/leader", "control-plane/0") in site.log()
    _let_go_of_the_address(site)
    site.run(delete)
    site.check_left(*names(people))
    assert site.peoples_mappings() == people


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


@pytest.mark.slow
@pytest.mark.weekly
def test_given_no_api_server_during_a_removal_then_the_commands_in_the_log_leave_nothing(
    site: Site,
) -> None:
    testbed_only.require("only the testbed stands between a charm and the API server")
    site.serve()
    people = site.peoples_mappings()

    with Faults(site.juju.model or "", APP) as faults:
        faults.answer("closed", "*")
        site.remove()
    assert "first juju config kubernetes-control-plane authn-webhook-endpoint=" in site.log()
    _let_go_of_the_address(site)
    assert site.command_in_log() == how_to.shown(PAGE, LEFT)[0]
    site.run(site.command_in_log())

    site.check_left(*names(people))
    assert site.peoples_mappings() == people


@pytest.mark.slow
@pytest.mark.weekly
def test_given_a_thousand_mappings_with_rights_when_removed_then_they_go(site: Site) -> None:
    site.serve(mappings=1000)
    situations.unset(site)
    people = site.peoples_mappings()

    site.remove()

    site.check_left(*names(people))
    assert site.peoples_mappings() == people


def test_given_what_stays_when_the_pages_command_is_run_then_everything_is_as_before(
    site: Site,
) -> None:
    situations.active(site)
    site.remove()

    site.run(how_to.shown(PAGE, MAPPINGS_TOO)[0])

    site.check_as_before()


def _let_go_of_the_address(site: Site) -> None:
    """Empty the option as the page says, until no control plane shows the Service's address."""
    address = site.cluster.address()
    reset, show, _ = how_to.shown(PAGE, WENT_FIRST)
    site.run(reset)
    eventually(lambda: address not in site.run(show), "reset", juju_status.WAIT_SECONDS)

"""Removals that are the same by the option and by the relation: each site's file imports them."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from tests.integration.helpers import how_to, juju_status, testbed_only
from tests.integration.helpers.eventually import eventually
from tests.integration.helpers.removing import APP, LEFT, PAGE, WENT_FIRST, Site

from testbed.faults.client import Faults


def test_given_an_idle_unit_when_removed_then_the_crd_its_guard_and_peoples_mappings_stay(
    site: Site, reach: Callable[[Site], None]
) -> None:
    reach(site)
    assert site.peoples_mappings()

    with site.only_people_stay():
        site.remove()


@pytest.mark.slow
@pytest.mark.weekly
def test_given_no_api_server_during_a_removal_then_the_command_in_the_log_leaves_nothing(
    site: Site,
) -> None:
    testbed_only.require("only the testbed stands between a charm and the API server")
    site.serve()

    with site.only_people_stay():
        with Faults(site.juju.model or "", APP) as faults:
            faults.answer("closed", "*")
            site.remove()
        if site.by_option:
            assert (
                "first juju config kubernetes-control-plane authn-webhook-endpoint=" in site.log()
            )
            let_go_of_the_address(site)
        assert site.command_in_log() == how_to.shown(PAGE, LEFT)[0]
        site.run(site.command_in_log())


def let_go_of_the_address(site: Site) -> None:
    """Empty the option as the page says, until no control plane shows the Service's address."""
    address = site.cluster.address()
    reset, show, _ = how_to.shown(PAGE, WENT_FIRST)
    site.run(reset)
    eventually(lambda: address not in site.run(show), "reset", juju_status.WAIT_SECONDS)

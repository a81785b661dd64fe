"""Removals on Charmed Kubernetes 1.28, which learns of the webhook by a relation."""

from __future__ import annotations

from pathlib import Path

import jubilant
import pytest
from tests.integration.helpers import how_to, kubernetes, logins, testbed_only
from tests.integration.helpers.removing import APP, CONTROL_PLANE, MAPPINGS_TOO, PAGE, Site
from tests.integration.removal import situations
from tests.integration.removal.on_either import *  # noqa: F403  (its tests)

pytestmark = pytest.mark.slow

CHANNEL, UNITS = "1.28/stable", 1
EACH_CHANGE = (
    situations.without_its_former_authority,
    situations.with_a_finalizer_on_the_service,
)


def test_given_a_person_who_logs_in_when_removed_then_the_api_server_knows_no_aws_keys(
    site: Site, tmp_path: Path
) -> None:
    site.deploy()
    site.wait_until_idle("active")
    cluster = logins.first_login(site.juju, tmp_path)

    site.remove()

    refused = cluster.whoami("knobby")
    assert refused.returncode != 0
    assert "Unauthorized" in refused.stderr
    assert "aws-iam" not in kubernetes.admins_kubeconfig(site.juju)


def test_given_no_authority_when_removed_then_nothing_but_the_crd_stays(site: Site) -> None:
    situations.without_an_authority(site)

    site.remove()

    site.check_left()


@pytest.mark.weekly
def test_given_a_unit_that_waits_for_a_certificate_when_removed_then_nothing_but_the_crd_stays(
    site: Site,
) -> None:
    testbed_only.stop_agent(site.juju, "easyrsa/0")
    site.deploy()

    def waits(status: jubilant.Status) -> bool:
        (unit,) = status.get_units(APP).values()
        return unit.is_waiting and unit.juju_status.current == "idle"

    site.juju.wait(lambda status: bool(status.get_units(APP)) and waits(status), successes=3)
    site.juju.remove_application(APP)
    # It leaves their relation now.
    testbed_only.start_agent(site.juju, "easyrsa/0")
    site.wait_until_gone()

    site.check_left()


def test_given_a_relation_that_was_removed_when_the_application_is_then_nothing_new_stays(
    site: Site,
) -> None:
    situations.active(site)

    with site.only_people_stay():
        with site.only_people_stay():
            site.juju.remove_relation(f"{APP}:{APP}", f"{CONTROL_PLANE}:{APP}")
            site.juju.wait(lambda status: not status.get_units(APP))
            site.wait_until_idle("waiting")
        site.remove()


@pytest.mark.weekly
def test_given_what_stays_when_the_pages_command_is_run_then_everything_is_as_before(
    site: Site,
) -> None:
    site.serve()
    site.remove()

    site.run(how_to.shown(PAGE, MAPPINGS_TOO)[1])

    site.check_as_before()

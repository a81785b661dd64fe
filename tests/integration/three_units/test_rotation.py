"""New certificates and new authorities, with three units whose hooks run in any order."""

from __future__ import annotations

import jubilant
import pytest
from tests.integration.helpers import (
    certificates,
    juju_status,
    logins,
    settled,
    testbed_only,
    units,
)
from tests.integration.helpers.kubernetes import Cluster

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def finished_rotation(trio: jubilant.Juju, cluster: Cluster) -> None:
    """Begin each test with one authority that every unit trusts, and without old pods."""
    juju_status.wait_until_active(trio)
    settled.end_former_pods(trio, cluster)
    certificates.all_units_trust(trio, certificates.authority(trio))


def follower(juju: jubilant.Juju) -> str:
    return units.followers(juju)[-1]


def test_given_a_new_authority_then_the_old_one_is_trusted_until_its_last_pod_ends(
    trio: jubilant.Juju, cluster: Cluster
) -> None:
    former = certificates.authority(trio)

    testbed_only.ask_authority(trio, "easyrsa", "new-authority")
    juju_status.wait_until_active(trio)

    new = certificates.authority(trio)
    certificates.all_units_trust(trio, former, new)
    logins.log_in_everywhere(trio, cluster)

    settled.end_former_pods(trio, cluster)
    certificates.all_units_trust(trio, new)
    certificates.newly_presented(trio, cluster)
    logins.log_in_everywhere(trio, cluster)


def test_given_a_leader_that_led_under_a_former_authority_then_everybody_logs_in(
    trio: jubilant.Juju, cluster: Cluster
) -> None:
    first = units.leader(trio)
    testbed_only.move_leader(trio, follower(trio))
    juju_status.wait_until_active(trio)
    testbed_only.ask_authority(trio, "easyrsa", "new-authority")
    juju_status.wait_until_active(trio)

    testbed_only.move_leader(trio, first)
    juju_status.wait_until_active(trio)

    # Its own former certificate is of the authority that nobody trusts any more.
    logins.log_in_everywhere(trio, cluster)
    settled.end_former_pods(trio, cluster)
    certificates.all_units_trust(trio, certificates.authority(trio))
    logins.log_in_everywhere(trio, cluster)

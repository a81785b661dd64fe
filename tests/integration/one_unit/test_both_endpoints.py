"""A control plane that is integrated twice: through its own endpoint and through juju-info."""

from __future__ import annotations

import jubilant
from tests.integration.helpers import juju_status, logins
from tests.integration.helpers.kubernetes import Cluster

SECOND = ("aws-iam:control-plane", "kubernetes-control-plane:juju-info")


def test_given_both_endpoints_then_the_unit_says_which_relation_to_remove_and_people_log_in(
    deployed: jubilant.Juju, cluster: Cluster
) -> None:
    deployed.integrate(*SECOND)
    juju_status.wait_until(deployed, "blocked")

    removal = f"juju remove-relation {' '.join(SECOND)}"
    assert juju_status.message(deployed) == f"integrated twice: {removal}"
    assert logins.wait_for_login(cluster) == "knobby"


def test_given_both_endpoints_when_that_relation_is_removed_then_the_unit_is_active(
    deployed: jubilant.Juju, cluster: Cluster
) -> None:
    _, *arguments = juju_status.message(deployed).removeprefix("integrated twice: ").split()

    deployed.cli(*arguments)

    juju_status.wait_until_active(deployed)
    assert logins.wait_for_login(cluster) == "knobby"

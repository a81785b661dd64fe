"""A control plane that is integrated twice: through its own endpoint and through juju-info."""

from __future__ import annotations

import jubilant
from tests.integration.helpers import juju_status, logins
from tests.integration.helpers.eventually import eventually
from tests.integration.helpers.kubernetes import Cluster

SECOND = ("aws-iam:control-plane", "kubernetes-control-plane:juju-info")
NEXT = ", next for Charmed Kubernetes 1.29: webhook not set; run: juju config "


def test_given_both_endpoints_then_the_unit_says_the_next_step_and_people_log_in(
    deployed: jubilant.Juju, cluster: Cluster
) -> None:
    deployed.integrate(*SECOND)
    eventually(lambda: NEXT in juju_status.message(deployed), "told the next step")

    juju_status.wait_until_active(deployed)
    assert logins.wait_for_login(cluster) == "knobby"


def test_given_both_endpoints_when_the_second_relation_is_removed_then_the_step_is_gone(
    deployed: jubilant.Juju, cluster: Cluster
) -> None:
    deployed.remove_relation(*SECOND)
    eventually(lambda: NEXT not in juju_status.message(deployed), "told nothing")

    juju_status.wait_until_active(deployed)
    assert logins.wait_for_login(cluster) == "knobby"

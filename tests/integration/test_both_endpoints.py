"""A control plane that has the endpoint, integrated a second time through juju-info."""

from __future__ import annotations

import jubilant
from tests.integration import model

SECOND = ("aws-iam:control-plane", "kubernetes-control-plane:juju-info")


def test_given_both_endpoints_in_use_then_the_unit_says_which_to_remove_and_people_log_in(
    deployed: jubilant.Juju, cluster: model.Kubernetes
) -> None:
    deployed.integrate(*SECOND)
    model.settle(deployed, wanted="blocked")

    assert model.message(deployed) == f"integrated twice: juju remove-relation {' '.join(SECOND)}"
    assert model.logs_in(cluster) == "knobby"


def test_given_both_endpoints_in_use_when_that_one_is_removed_then_all_is_as_before(
    deployed: jubilant.Juju, cluster: model.Kubernetes
) -> None:
    _, *arguments = model.message(deployed).removeprefix("integrated twice: ").split()

    deployed.cli(*arguments)

    model.settle(deployed)
    assert model.logs_in(cluster) == "knobby"

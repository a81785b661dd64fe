"""Charmed Kubernetes 1.29 and newer: it has no endpoint, and its operator sets one option.

The unit's status gives the operator the command to run.
"""

from __future__ import annotations

import jubilant
import pytest
from tests.integration.helpers import (
    arns,
    bundle,
    how_to,
    juju_status,
    kubernetes,
    logins,
    upgrade_page,
)
from tests.integration.helpers.kubernetes import MAPPINGS, Cluster

pytestmark = pytest.mark.slow

CONTROL_PLANE = "kubernetes-control-plane"
OPTION = "authn-webhook-endpoint"


@pytest.fixture(scope="module")
def deployed(juju: jubilant.Juju) -> jubilant.Juju:
    """Deploy Charmed Kubernetes 1.29 with easyrsa and aws-iam, which waits for its operator."""
    bundle.deploy_by_hand(juju)
    juju_status.wait_until(juju, "blocked")
    return juju


@pytest.fixture(scope="module")
def cluster(deployed: jubilant.Juju, tmp_path_factory: pytest.TempPathFactory) -> Cluster:
    """Return the cluster, in which knobby can log in through a role once the option is set."""
    cluster = kubernetes.connect(deployed, tmp_path_factory.mktemp("kubeconfigs"))
    cluster.map("knobby", arns.ROLE, "knobby", "view")
    return cluster


def command(cluster: Cluster) -> str:
    return f"juju config {CONTROL_PLANE} {OPTION}=https://{cluster.address()}:443/authenticate"


def wait_for_status(juju: jubilant.Juju, status: str, start: str) -> None:
    """Wait until aws-iam's unit has this status, with a message that starts with ``start``.

    A settled unit gets no event when its principal's options or people's mappings change, so
    update-status runs often.
    """
    with juju_status.frequent_update_status(juju):
        wait_for_status_without_events(juju, status, start)


def wait_for_status_without_events(juju: jubilant.Juju, status: str, start: str) -> None:
    """Wait less than an interval of update-status for this status and message."""

    def says(found: jubilant.Status) -> bool:
        workload = found.get_units("aws-iam")["aws-iam/0"].workload_status
        return workload.current == status and workload.message.startswith(start)

    juju.wait(says, error=jubilant.any_error, delay=0.5, successes=1, timeout=120)


def test_given_a_new_deployment_when_its_statuss_command_is_run_then_people_log_in(
    deployed: jubilant.Juju, cluster: Cluster
) -> None:
    assert juju_status.message(deployed) == f"webhook not set; run: {command(cluster)}"
    assert cluster.whoami("knobby").returncode != 0

    how_to.run(deployed, command(cluster))

    line = "2/2 pods, 1 mapping"
    wait_for_status_without_events(deployed, "active", line)
    assert logins.wait_for_login(cluster) == "knobby"


def test_given_an_arn_in_capitals_then_kubernetes_accepts_it_and_people_log_in(
    deployed: jubilant.Juju, cluster: Cluster
) -> None:
    cluster.kubectl("delete", MAPPINGS, "knobby")
    cluster.map("knobby", arns.ROLE_IN_CAPITALS, "knobby", "view")

    assert logins.wait_for_login(cluster) == "knobby"
    wait_for_status(deployed, "active", "2/2 pods, 1 mapping")
    [stored] = cluster.get(MAPPINGS)["items"]
    assert stored["status"]["canonicalARN"] == arns.ROLE
    assert "broken mapping" not in juju_status.message(deployed)


def test_given_a_mapping_of_a_path_from_before_the_rule_then_it_is_named_and_people_may_edit_it(
    deployed: jubilant.Juju, cluster: Cluster
) -> None:
    cluster.map_any("pathed", arns.ROLE_WITH_PATH, "dev")

    wait_for_status(
        deployed,
        "active",
        "2/2 pods, 2 mappings, 1 broken mapping: pathed: no login has a role",
    )
    cluster.kubectl("label", MAPPINGS, "pathed", "team=payments")
    [stored] = [i for i in cluster.get(MAPPINGS)["items"] if i["metadata"]["name"] == "pathed"]
    assert stored["status"]["canonicalARN"] == arns.ROLE_WITH_PATH
    with pytest.raises(AssertionError, match="a role must be named without its path"):
        cluster.map("another", arns.ROLE_WITH_PATH, "dev")
    with pytest.raises(AssertionError, match="arn must name the role and none of its sessions"):
        cluster.map("another", arns.SESSION, "dev")

    cluster.kubectl("delete", MAPPINGS, "pathed")
    wait_for_status(deployed, "active", "2/2 pods, 1 mapping")
    assert logins.wait_for_login(cluster) == "knobby"


def test_given_an_option_with_another_address_then_the_status_names_it_and_gives_the_command(
    deployed: jubilant.Juju, cluster: Cluster
) -> None:
    deployed.config(CONTROL_PLANE, {OPTION: "https://10.152.183.1:443/authenticate"})

    present = "another webhook is set; if unused, run: "
    wait_for_status(deployed, "blocked", present)
    assert juju_status.message(deployed).endswith(f"run: {command(cluster)}")

    how_to.run(deployed, command(cluster))
    wait_for_status(deployed, "active", "2/2 pods, 1 mapping")
    assert logins.wait_for_login(cluster) == "knobby"


def test_given_a_service_whose_address_is_taken_then_the_status_leads_to_the_new_one(
    deployed: jubilant.Juju, cluster: Cluster
) -> None:
    before = command(cluster)
    taken = cluster.address()
    # A hook that still runs would put the finalizer back.
    juju_status.wait_until_idle(deployed)
    cluster.free_address()
    cluster.take_address(taken)

    lost = "another webhook is set; if unused, run: juju config "
    wait_for_status(deployed, "blocked", lost)
    after = upgrade_page.command_in_status(deployed)
    assert after == command(cluster) != before
    how_to.run(deployed, after)
    wait_for_status(deployed, "active", "2/2 pods, 1 mapping")
    assert logins.wait_for_login(cluster) == "knobby"

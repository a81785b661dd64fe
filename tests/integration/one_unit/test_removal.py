"""A removal deletes all that the charm made, and nothing that people own.

In the testbed the unit's agent has restarted before: Juju then breaks the peer relation first. The
walk through the page removes a unit whose agent has not.
"""

from __future__ import annotations

import jubilant
import pytest
from tests.integration.helpers import juju_status, testbed_only
from tests.integration.helpers.kubernetes import Cluster, admins_kubeconfig

from testbed import testbedctl

CONTROL_PLANE = "kubernetes-control-plane/0"


@pytest.fixture(scope="module")
def removed(deployed: jubilant.Juju, cluster: Cluster) -> jubilant.Juju:
    assert cluster.objects()
    if testbedctl.is_available():
        testbed_only.stop_agent(deployed, "aws-iam/0")
        testbed_only.start_agent(deployed, "aws-iam/0")
    juju_status.remove(deployed, "aws-iam")
    return deployed


def test_when_removed_then_the_cluster_has_none_of_its_objects(
    removed: jubilant.Juju, cluster: Cluster
) -> None:
    assert cluster.objects() == []


def test_when_removed_then_the_crd_and_the_mappings_of_people_stay(
    removed: jubilant.Juju, cluster: Cluster
) -> None:
    assert cluster.mapping_names() == {"knobby"}


def test_when_removed_then_the_machine_has_none_of_its_files(removed: jubilant.Juju) -> None:
    found = removed.exec("find /root/cdk -name '*aws-iam*'", unit=CONTROL_PLANE)
    assert found.stdout == ""


def test_when_removed_then_the_api_server_has_no_webhook_and_refuses_aws_keys(
    removed: jubilant.Juju, cluster: Cluster
) -> None:
    refused = cluster.whoami("knobby")
    assert refused.returncode != 0
    assert "Unauthorized" in refused.stderr
    assert "aws-iam" not in admins_kubeconfig(removed, CONTROL_PLANE)

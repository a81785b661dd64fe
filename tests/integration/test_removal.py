"""What is left after the charm: what people own, and nothing else."""

from __future__ import annotations

import json

import jubilant
import pytest
from tests.integration.helpers.kubernetes import Cluster

CONTROL_PLANE = "kubernetes-control-plane/0"
OURS = "deployment,service,configmap,serviceaccount,secret,poddisruptionbudget"


@pytest.fixture(scope="module")
def removed(deployed: jubilant.Juju, cluster: Cluster) -> jubilant.Juju:
    assert "aws-iam" in _objects(cluster)
    deployed.remove_application("aws-iam")
    return (
        deployed.wait(
            lambda status: "aws-iam" not in status.apps and jubilant.all_agents_idle(status),
            error=jubilant.any_error,
            delay=0.5,
            successes=2,
            timeout=120,
        )
        and deployed
    )


def test_then_the_cluster_holds_nothing_of_it(removed: jubilant.Juju, cluster: Cluster) -> None:
    assert "aws-iam" not in _objects(cluster)


def test_then_the_crd_and_peoples_mappings_stay(removed: jubilant.Juju, cluster: Cluster) -> None:
    mappings = cluster.get("iamidentitymappings")["items"]
    assert [mapping["metadata"]["name"] for mapping in mappings] == ["knobby"]


def test_then_the_machine_holds_no_file_of_it(removed: jubilant.Juju) -> None:
    found = removed.exec("find /root/cdk -name '*aws-iam*'", unit=CONTROL_PLANE)
    assert found.stdout == ""


def test_then_the_api_server_runs_without_the_webhook_and_nobody_logs_in_with_aws_keys(
    removed: jubilant.Juju, cluster: Cluster
) -> None:
    refused = cluster.whoami("knobby")
    assert refused.returncode != 0
    assert "Unauthorized" in refused.stderr
    config = removed.ssh(CONTROL_PLANE, "cat config")
    assert "aws-iam" not in config


def _objects(cluster: Cluster) -> str:
    """Names of everything of the charm's kinds in the cluster."""
    inside = json.loads(cluster.kubectl("get", OURS, "-n", "kube-system", "-o", "json"))
    outside = json.loads(cluster.kubectl("get", "clusterrole,clusterrolebinding", "-o", "json"))
    items = inside["items"] + outside["items"]
    return " ".join(item["metadata"]["name"] for item in items)

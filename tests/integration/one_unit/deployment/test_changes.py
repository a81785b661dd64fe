"""Changes under a running charm: by its operator, by hand, or by accident."""

from __future__ import annotations

from pathlib import Path

import jubilant
import pytest
from tests.integration.helpers import arns, juju_status, kubernetes, logins
from tests.integration.helpers.eventually import eventually
from tests.integration.helpers.kubernetes import MAPPINGS, SERVICE, Cluster


def test_given_a_service_deleted_by_mistake_then_people_log_in_and_nobody_gets_its_address(
    deployed: jubilant.Juju, cluster: Cluster
) -> None:
    before = cluster.get(*SERVICE)
    address, uid = before["spec"]["clusterIP"], before["metadata"]["uid"]

    cluster.kubectl("delete", *SERVICE, "--wait=false")

    assert "deletionTimestamp" in cluster.get(*SERVICE)["metadata"]
    assert logins.wait_for_login(cluster) == "knobby"
    with pytest.raises(AssertionError, match="provided IP is already allocated"):
        cluster.take_address(address)

    # It is away for the moment between its deletion and its creation.
    now = (*SERVICE, "--ignore-not-found", "-o", "jsonpath={.metadata.uid}")
    with juju_status.frequent_update_status(deployed):
        eventually(lambda: cluster.kubectl("get", *now) not in ("", uid), "made again")
    after = cluster.get(*SERVICE)
    assert "deletionTimestamp" not in after["metadata"]
    assert after["spec"]["clusterIP"] == address
    assert logins.wait_for_login(cluster) == "knobby"


def test_given_a_quota_that_refuses_pods_then_the_unit_names_it_and_goes_on_without_it(
    deployed: jubilant.Juju, cluster: Cluster
) -> None:
    quota = ("-n", "kube-system", "quota", "small")
    cluster.kubectl("create", *quota, "--hard=pods=1")
    deployed.config("aws-iam", {"replicas": 3})
    with juju_status.frequent_update_status(deployed):
        juju_status.wait_until_status_is(deployed, "blocked", seconds=120)
    shown = juju_status.message(deployed)
    assert logins.wait_for_login(cluster) == "knobby"

    cluster.kubectl("delete", *quota)
    deployed.config("aws-iam", {"replicas": 2})
    juju_status.wait_until_active(deployed)
    assert shown.startswith(
        "an authenticator pod cannot start: 'FailedCreate: exceeded quota: small"
    )


def test_given_a_principal_of_govcloud_then_they_log_in_with_the_default_partition_too(
    deployed: jubilant.Juju, cluster: Cluster, tmp_path: Path
) -> None:
    """The STS of GovCloud has the domain that the default partition's has."""
    cluster.map("gus", arns.GOV_USER, "gus")
    gov = kubernetes.with_region(deployed, cluster, "us-gov-west-1", tmp_path)

    assert logins.wait_for_login(gov, "gus") == "gus"
    assert "broken mapping" not in juju_status.message(deployed)
    cluster.kubectl("delete", MAPPINGS, "gus")


def test_given_another_cluster_id_then_only_tokens_for_it_are_accepted(
    deployed: jubilant.Juju, cluster: Cluster, tmp_path_factory: pytest.TempPathFactory
) -> None:
    deployed.config("aws-iam", {"cluster-id": "prod-1"})
    juju_status.wait_until_active(deployed)

    moved = kubernetes.connect(deployed, tmp_path_factory.mktemp("moved"))
    assert logins.wait_for_login(moved) == "knobby"
    refused = cluster.whoami("knobby")
    assert refused.returncode != 0
    assert "Unauthorized" in refused.stderr
    eventually(lambda: "cluster id changed" in deployed.debug_log(limit=1000), "logged")

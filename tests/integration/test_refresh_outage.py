"""`juju refresh` from the reactive charm while the Kubernetes API is down."""

from __future__ import annotations

import jubilant
import pytest
from tests.integration.helpers import bundle, juju_status, logins, reactive, testbed_only
from tests.integration.helpers.eventually import eventually
from tests.integration.helpers.kubernetes import Cluster

# Kubelet, kube-proxy and pods wait up to two minutes before they try a lost API server again.
pytestmark = pytest.mark.slow
CONTROL_PLANE = "kubernetes-control-plane/0"
API_SERVER = "snap.kube-apiserver.daemon.service"


@pytest.fixture(scope="module")
def cluster(juju: jubilant.Juju, tmp_path_factory: pytest.TempPathFactory) -> Cluster:
    return reactive.deploy(juju, tmp_path_factory.mktemp("reactive"))


def test_given_the_api_is_down_when_refreshed_then_the_unit_waits_and_keeps_the_cluster_id(
    juju: jubilant.Juju, cluster: Cluster
) -> None:
    # The control plane's own hooks would start the API server again.
    testbed_only.stop_agent(juju, CONTROL_PLANE)
    juju.exec("systemctl", "stop", API_SERVER, unit="aws-iam/0")

    juju.refresh("aws-iam", path=bundle.packed_charm())

    wanted = "waiting for the Kubernetes API"
    eventually(
        lambda: juju_status.message(juju).startswith(wanted), wanted, juju_status.WAIT_SECONDS
    )
    kept = juju.exec(
        "relation-get --app -r $(relation-ids peers) cluster-id aws-iam", unit="aws-iam/0"
    )
    assert kept.stdout.strip() == reactive.cluster_id(cluster)


def test_when_the_api_is_back_then_the_next_hook_completes_the_refresh(
    juju: jubilant.Juju, cluster: Cluster
) -> None:
    juju.exec("systemctl", "start", API_SERVER, unit="aws-iam/0")
    testbed_only.start_agent(juju, CONTROL_PLANE)
    juju.model_config({"update-status-hook-interval": "10s"})

    logins.wait_for_login(cluster)
    juju_status.wait_until_active(juju)

    assert "2/2 pods, 3 mappings" in juju_status.message(juju)
    assert reactive.leader_data(juju) == {}
    assert "awaiting error resolution" not in juju.debug_log(limit=5000)
    managed = [found["metadata"]["managedFields"] for found in reactive.objects(cluster).values()]
    assert "kubectl" not in str(managed)

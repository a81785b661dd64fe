"""Pods that have ended and stay listed, as evicted ones do, while the authority changes."""

from __future__ import annotations

import json
from collections.abc import Iterator

import jubilant
import pytest
from tests.integration.helpers import certificates, juju_status, testbed_only
from tests.integration.helpers.eventually import eventually
from tests.integration.helpers.kubernetes import Cluster

# The former pods serve for a minute, and a kubelet is late after its API server's restart.
pytestmark = pytest.mark.slow

PODS = ("-n", "kube-system", "pods")
LABEL = {"k8s-app": "aws-iam-authenticator"}


@pytest.fixture
def failed_pod(deployed: jubilant.Juju, cluster: Cluster) -> Iterator[str]:
    """Return the name of a pod that has the annotations of those that serve, and has failed."""
    serving = cluster.get(*PODS, "-l", "k8s-app=aws-iam-authenticator")["items"][0]
    name = "aws-iam-authenticator-failed"
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": name,
            "namespace": "kube-system",
            "labels": LABEL,
            "annotations": serving["metadata"]["annotations"],
        },
        "spec": {
            "restartPolicy": "Never",
            "tolerations": [{"operator": "Exists"}],
            "containers": [
                {
                    "name": "aws-iam-authenticator",
                    "image": serving["spec"]["containers"][0]["image"],
                    "args": ["no-such-command"],
                }
            ],
        },
    }
    cluster.kubectl("apply", "-f", "-", stdin=json.dumps(pod))
    eventually(lambda: cluster.get(*PODS, name)["status"]["phase"] == "Failed", "failed")
    yield name
    cluster.kubectl("delete", *PODS, name)


def test_given_a_failed_pod_of_the_old_authority_when_that_changes_then_nobody_trusts_the_old_one(
    deployed: jubilant.Juju, cluster: Cluster, failed_pod: str
) -> None:
    old = certificates.authority(deployed)
    testbed_only.ask_authority(deployed, "easyrsa", "new-authority")
    juju_status.wait_until_active(deployed)
    testbed_only.end_former_pods(deployed, cluster)

    assert cluster.get(*PODS, failed_pod)["status"]["phase"] == "Failed"
    assert certificates.authority(deployed) != old
    certificates.all_units_trust(deployed, certificates.authority(deployed))

"""Deploy one model for all files that a process runs here; each file leaves it active."""

from __future__ import annotations

import os
from collections.abc import Iterator

import jubilant
import pytest
from tests.integration.helpers import bundle, juju_status
from tests.integration.helpers.how_to import Reader
from tests.integration.helpers.kubernetes import Cluster


@pytest.fixture(scope="package")
def juju() -> Iterator[jubilant.Juju]:
    with juju_status.new_model() as juju:
        juju_status.hear_soon(juju)
        yield juju


@pytest.fixture(scope="package")
def deployed(juju: jubilant.Juju) -> jubilant.Juju:
    """Deploy Charmed Kubernetes with easyrsa and aws-iam, all active.

    It is that of 1.28; of 1.29 in a lab that has the newest Kubernetes alone.
    """
    if os.environ.get("TESTBED_KUBERNETES") == "latest":
        bundle.deploy(juju, channel="1.29/stable")
    else:
        bundle.deploy(juju)
    juju_status.wait_until_active(juju)
    return juju


@pytest.fixture(scope="module")
def reader(
    deployed: jubilant.Juju, cluster: Cluster, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Reader]:
    """Return a reader of the pages, whose kubectl and juju find the cluster and the model."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("JUJU_MODEL", deployed.model or "")
        patch.setenv("KUBECONFIG", str(cluster.admin))
        yield Reader(tmp_path_factory.mktemp("reader"))

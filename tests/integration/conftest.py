"""Deploy one model for each file; the tests of a file share it and run in their order."""

from __future__ import annotations

from collections.abc import Iterator

import jubilant
import pytest
from tests.integration.helpers import arns, bundle, juju_status, kubernetes, logins
from tests.integration.helpers.kubernetes import Cluster
from tests.integration.helpers.steps import Taking, taking


@pytest.fixture(scope="module")
def juju() -> Iterator[jubilant.Juju]:
    """Return an empty model for this file alone."""
    with jubilant.temp_model() as juju:
        yield juju
        # pytest shows it after a failure only.
        print(juju.debug_log(limit=400))


@pytest.fixture(scope="module")
def take(juju: jubilant.Juju, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Taking]:
    """Return a function that takes a step of the page, in a shell with an empty home.

    Raises:
        AssertionError: the step went wrong, or one before it did.
    """
    with taking(juju, tmp_path_factory.mktemp("home")) as take:
        yield take


@pytest.fixture(scope="module")
def deployed(juju: jubilant.Juju) -> jubilant.Juju:
    """Deploy Charmed Kubernetes 1.28 with easyrsa and aws-iam, all active."""
    bundle.deploy(juju)
    juju_status.wait_until_active(juju)
    return juju


@pytest.fixture(scope="module")
def trio(deployed: jubilant.Juju, cluster: Cluster) -> jubilant.Juju:
    """Deploy the same with three control-plane units, each with its own API server."""
    deployed.add_unit("kubernetes-control-plane", num_units=2)
    juju_status.wait_until_active(deployed)
    return deployed


@pytest.fixture(scope="module")
def cluster(deployed: jubilant.Juju, tmp_path_factory: pytest.TempPathFactory) -> Cluster:
    """Return the deployed cluster, in which knobby can log in through a role."""
    cluster = kubernetes.connect(deployed, tmp_path_factory.mktemp("kubeconfigs"))
    cluster.map("knobby", arns.ROLE, "knobby", "view")
    logins.wait_for_login(cluster)
    return cluster

"""Deploy one model for all files of this folder; each file leaves it active."""

from __future__ import annotations

from collections.abc import Iterator

import jubilant
import pytest
from tests.integration.helpers import bundle, juju_status, logins
from tests.integration.helpers.kubernetes import Cluster


@pytest.fixture(scope="package")
def juju() -> Iterator[jubilant.Juju]:
    """Return an empty model."""
    with jubilant.temp_model() as juju:
        yield juju


@pytest.fixture(scope="package")
def deployed(juju: jubilant.Juju) -> jubilant.Juju:
    """Deploy Charmed Kubernetes 1.28 with easyrsa and aws-iam, all active."""
    bundle.deploy(juju)
    juju_status.wait_until_active(juju)
    return juju


@pytest.fixture(scope="module")
def cluster(deployed: jubilant.Juju, tmp_path_factory: pytest.TempPathFactory) -> Cluster:
    """Return the deployed cluster, in which knobby can log in through a role.

    Each file has a kubeconfig of its own, because one of them changes the cluster id.
    """
    return logins.first_login(deployed, tmp_path_factory.mktemp("kubeconfigs"))

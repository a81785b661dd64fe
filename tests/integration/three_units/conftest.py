"""Deploy a model with three units for each file."""

from __future__ import annotations

import jubilant
import pytest
from tests.integration.helpers import bundle, juju_status, logins
from tests.integration.helpers.kubernetes import Cluster


@pytest.fixture(scope="module")
def trio(juju: jubilant.Juju) -> jubilant.Juju:
    """Deploy three control-plane units, each with its own API server."""
    bundle.deploy(juju)
    juju_status.wait_until_active(juju)
    juju.add_unit("kubernetes-control-plane", num_units=2)
    juju_status.wait_until_active(juju)
    return juju


@pytest.fixture(scope="module")
def cluster(trio: jubilant.Juju, tmp_path_factory: pytest.TempPathFactory) -> Cluster:
    """Return the deployed cluster, in which knobby can log in through a role."""
    return logins.first_login(trio, tmp_path_factory.mktemp("kubeconfigs"))

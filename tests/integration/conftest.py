"""One model a file, deployed once: the tests of a file run in their order."""

from __future__ import annotations

from collections.abc import Iterator

import jubilant
import pytest
from tests.integration import model


@pytest.fixture(scope="module")
def juju() -> Iterator[jubilant.Juju]:
    """An empty model of this file's own."""
    with jubilant.temp_model() as juju:
        yield juju
        # What a failure needs, and no other run prints.
        print(juju.debug_log(limit=400))


@pytest.fixture(scope="module")
def deployed(juju: jubilant.Juju) -> jubilant.Juju:
    """Charmed Kubernetes 1.28 with easyrsa and aws-iam, all active."""
    model.deploy(juju)
    model.settle(juju)
    return juju


@pytest.fixture(scope="module")
def trio(deployed: jubilant.Juju, cluster: model.Kubernetes) -> jubilant.Juju:
    """The same with three control-plane units, each with an API server of its own."""
    deployed.add_unit("kubernetes-control-plane", num_units=2)
    model.settle(deployed)
    return deployed


@pytest.fixture(scope="module")
def cluster(deployed: jubilant.Juju, tmp_path_factory: pytest.TempPathFactory) -> model.Kubernetes:
    """The deployed cluster, in which knobby may log in through a role."""
    cluster = model.kubernetes(deployed, tmp_path_factory.mktemp("kubeconfigs"))
    cluster.map("knobby", model.ROLE, "knobby", "view")
    model.logs_in(cluster)
    return cluster

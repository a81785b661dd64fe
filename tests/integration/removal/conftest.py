"""Deploy one cluster for each file; aws-iam comes and goes in each test."""

from __future__ import annotations

from collections.abc import Iterator

import jubilant
import pytest
from tests.integration.helpers import removing
from tests.integration.helpers.removing import Site

# Its tests say what they found, as those of the files that import them do.
pytest.register_assert_rewrite("tests.integration.removal.on_either")


@pytest.fixture(scope="module")
def alone(
    request: pytest.FixtureRequest, juju: jubilant.Juju, tmp_path_factory: pytest.TempPathFactory
) -> Site:
    """Deploy the module's `CHANNEL` of Charmed Kubernetes, with its number of `UNITS`."""
    folder = tmp_path_factory.mktemp("removal")
    module = request.module
    return removing.new_site(juju, folder, module.CHANNEL, module.UNITS)


@pytest.fixture
def site(alone: Site) -> Iterator[Site]:
    """Return the cluster as it was before aws-iam came, and bring it back to that."""
    yield alone
    alone.restore()

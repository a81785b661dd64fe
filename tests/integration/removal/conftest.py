"""Deploy one cluster for each file; aws-iam comes and goes in each test."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import jubilant
import pytest
from tests.integration.helpers import removing
from tests.integration.helpers.removing import Site
from tests.integration.removal import situations

# Its tests say what they found, as those of the files that import them do.
pytest.register_assert_rewrite("tests.integration.removal.on_either")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Give a test each situation; those that its module leaves out of `EACH_CHANGE` are weekly."""
    if "reach" not in metafunc.fixturenames:
        return
    module: Any = metafunc.module
    marks = (pytest.mark.slow, pytest.mark.weekly)
    rows = [
        pytest.param(each, marks=() if each in module.EACH_CHANGE else marks, id=each.__name__)
        for each in situations.IDLE
    ]
    metafunc.parametrize("reach", rows)


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

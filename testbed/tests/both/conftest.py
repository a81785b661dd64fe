"""An operator for each module: of the stand-in as 3.6 and as 4.1, or of a real controller.

These tests know Juju by its commands and hook tools alone. With `TESTBED_JUJU=FOLDER`,
`make testbed-tests` asks a real controller the same.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from operators import Operator, a_model, is_real
from testbed.juju.manner import Manner
from unit.juju.conftest import a_controller


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "juju" in metafunc.fixturenames:
        manners = ["real"] if is_real() else [manner.value for manner in Manner]
        metafunc.parametrize("juju", manners, indirect=True, scope="module")


@pytest.fixture(scope="module")
def juju(request: pytest.FixtureRequest) -> Iterator[Operator]:
    """Yield an operator with an empty model."""
    if request.param != "real":
        with a_controller(Manner(request.param)) as operator:
            yield operator
        return
    folder = Path(tempfile.mkdtemp(prefix="juju-"))
    with a_model(folder) as operator:
        yield operator
    shutil.rmtree(folder)

"""Labs for the tests of the testbed itself, which need root."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from system import plain
from testbed import handle
from testbed.cluster import requirements
from testbed.paths import LabPaths
from testbed.programs import build
from testbed.programs.modules import NEWEST, all_modules, of_tracks


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """End with an error without root: a run that skips each test of a lab would look green."""
    here = Path(__file__).parent
    if os.geteuid() != 0 and any(here in item.path.parents for item in items):
        raise pytest.UsageError("the testbed needs root; run: make testbed-tests")


@pytest.fixture(scope="session")
def programs() -> Path:
    requirements.check()
    return build.built(of_tracks(all_modules(), [NEWEST]))


@pytest.fixture(scope="module")
def paths() -> LabPaths:
    return LabPaths(f"test-{os.getpid()}")


@pytest.fixture(scope="module")
def lab(paths: LabPaths, programs: Path) -> Iterator[handle.LabHandle]:
    with handle.LabHandle(paths, programs, plain.CONTROLLER) as running:
        yield running


@pytest.fixture(scope="module")
def remote(lab: handle.LabHandle) -> plain.Remote:
    return plain.Remote(lab.paths)

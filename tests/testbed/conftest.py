"""Labs for the tests of the testbed itself, which are skipped without root."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from rich.console import Console
from testbed import session
from testbed.cluster import requirements
from testbed.places import Places
from testbed.programs import build
from tests.testbed import plain


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if os.geteuid() == 0:
        return
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.skip(reason="the testbed needs root"))


@pytest.fixture(scope="session")
def programs() -> Path:
    requirements.check()
    return build.programs(Console(stderr=True))


@pytest.fixture(scope="module")
def places() -> Places:
    return Places(f"test-{os.getpid()}")


@pytest.fixture(scope="module")
def lab(places: Places, programs: Path) -> Iterator[session.Session]:
    with session.Session(places, programs, plain.CONTROLLER) as running:
        yield running


@pytest.fixture(scope="module")
def remote(lab: session.Session) -> plain.Remote:
    return plain.Remote(lab.places)

"""Deploy one model for each file; the tests of a file share it and run in their order.

The files of each folder of `one_unit` share one, because a deployment takes a minute.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Generator, Iterator

import jubilant
import pytest
from tests.integration.helpers import bundle, juju_status, logins
from tests.integration.helpers.kubernetes import Cluster
from tests.integration.helpers.steps import Taking, taking
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

LOG_LINES = 400
LONGEST = (
    "one_unit",
    "removal",
    "test_rotation.py",
    "test_load.py",
    "test_units.py",
    "test_vault.py",
    "test_self_signed_certificates.py",
    "test_demo.py",
)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Refuse what would deploy a released charm, and begin with what takes longest.

    Pages and overlays deploy aws-iam by its name. Then no process is left with much at the end.
    """
    by_name = any(item.path.name != "test_charm.py" for item in items)
    if by_name and not config.option.collectonly and bundle.STORE not in os.environ:
        raise pytest.UsageError(
            "these tests would deploy Charmhub's aws-iam; run: make integration, "
            "or CHARM_PATH=FILE pytest tests/integration/test_charm.py"
        )

    def place(item: pytest.Item) -> int:
        parts = [part for part in LONGEST if part in item.path.parts]
        return LONGEST.index(parts[0]) if parts else len(LONGEST)

    items.sort(key=place)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LoadScopeScheduling:
    """Have several processes share the models: one process runs all tests of a model."""
    return _Models(config, log)


class _Models(LoadScopeScheduling):
    def _split_scope(self, nodeid: str) -> str:
        """Return the same text for all tests that share a model."""
        file, _, _ = nodeid.partition("::")
        folder, _, name = file.rpartition("/")
        if "/one_unit/" in folder:
            return folder
        is_alone = name == "test_demo.py" or folder.endswith("removal")
        return nodeid if is_alone else file


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Function,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Add the model's log to the report of a test that failed."""
    report = yield
    juju = item.funcargs.get("juju")
    if report.failed and isinstance(juju, jubilant.Juju):
        # A report without the log is better than none where `juju` itself is gone.
        with contextlib.suppress(OSError, jubilant.CLIError):
            report.sections.append(("juju debug-log", juju.debug_log(limit=LOG_LINES)))
    return report


@pytest.fixture(scope="module")
def juju() -> Iterator[jubilant.Juju]:
    """Return an empty model for this file alone."""
    with juju_status.new_model() as juju:
        juju_status.hear_soon(juju)
        yield juju


@pytest.fixture(scope="module")
def take(juju: jubilant.Juju, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Taking]:
    """Return a function that takes a step of the page, in a shell with an empty home."""
    with taking(juju, tmp_path_factory.mktemp("home")) as take:
        yield take


@pytest.fixture(scope="module")
def cluster(deployed: jubilant.Juju, tmp_path_factory: pytest.TempPathFactory) -> Cluster:
    """Return the cluster of `deployed`, in which knobby can log in.

    Each file has a kubeconfig of its own, because one of them changes the cluster id.
    """
    return logins.first_login(deployed, tmp_path_factory.mktemp("kubeconfigs"))

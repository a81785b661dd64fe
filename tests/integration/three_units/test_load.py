"""People log in all the time while everything changes that can change.

The model begins with an earlier revision of this charm, where the clone has it: the first change
is the refresh to this one.
"""

from __future__ import annotations

from pathlib import Path

import jubilant
import pytest
from tests.integration.helpers import earlier, reactive, testbed_only, units
from tests.integration.helpers.kubernetes import Cluster
from tests.integration.helpers.load import changes, report

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def overlays(juju: jubilant.Juju, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Return the overlay that deploys the earlier revision; none in a clone without it.

    That revision is from before Juju 4.
    """
    if juju.version().tuple >= (4,):
        return []
    charm = earlier.packed_charm(tmp_path_factory.mktemp("history"))
    return [earlier.overlay(charm, tmp_path_factory.mktemp("overlay"))] if charm else []


def test_given_an_earlier_revision_then_the_units_run_it(
    trio: jubilant.Juju, overlays: list[Path]
) -> None:
    if not overlays:
        pytest.skip(f"this is Juju 4, or a clone without the commit {earlier.COMMIT}")

    assert all(not has_alarms(trio, unit) for unit in units.names(trio))


def has_alarms(juju: jubilant.Juju, unit: str) -> bool:
    """Return whether the charm of a unit sets alarms, which the earlier revision does not."""
    return "alarm.py" in juju.exec("find src", unit=unit).stdout


@pytest.mark.timeout(1800)
def test_given_a_steady_load_when_everything_changes_then_no_login_fails(
    trio: jubilant.Juju, cluster: Cluster, capsys: pytest.CaptureFixture[str]
) -> None:
    load, phases = changes.under_load(trio, cluster)

    failed = report.failures(load)
    with capsys.disabled():
        print(f"\n{report.table(load, phases)}")
        for login in failed[:20]:
            began = login.start - phases[0].start
            print(f"{began:.1f} s {login.host} {login.kind}: {login.problem}")
    assert not failed
    assert all(any(p.start <= x.start < p.end for x in load.logins) for p in phases)


def test_when_all_that_is_over_then_further_hooks_change_nothing_in_the_cluster(
    trio: jubilant.Juju, cluster: Cluster
) -> None:
    before = versions(cluster)

    for unit in units.names(trio):
        assert has_alarms(trio, unit)
        testbed_only.run_update_status(trio, unit)

    assert versions(cluster) == before


def versions(cluster: Cluster) -> dict[str, object]:
    """Return the version of each object; of the Deployment, that of what the charm writes."""
    found = {name: each["metadata"] for name, each in reactive.objects(cluster).items()}
    return {
        name: metadata["generation" if name.startswith("deployment") else "resourceVersion"]
        for name, metadata in found.items()
    }

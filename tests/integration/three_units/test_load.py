"""People log in all the time while everything changes that can change."""

from __future__ import annotations

import jubilant
import pytest
from tests.integration.helpers import juju_status, reactive, units
from tests.integration.helpers.kubernetes import Cluster
from tests.integration.helpers.load import changes, report

pytestmark = [pytest.mark.slow, pytest.mark.weekly]


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
        juju_status.run_update_status(trio, unit)

    assert versions(cluster) == before


def versions(cluster: Cluster) -> dict[str, object]:
    """Return the version of each object; of the Deployment, that of what the charm writes."""
    return {
        name: each["metadata"]["generation" if name.startswith("deploy") else "resourceVersion"]
        for name, each in reactive.objects(cluster).items()
    }

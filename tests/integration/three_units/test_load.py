"""People log in all the time while everything changes that can change."""

from __future__ import annotations

import sys

import jubilant
import pytest
from tests.integration.helpers.kubernetes import Cluster
from tests.integration.helpers.load import changes, report


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_given_a_steady_load_when_everything_changes_then_no_login_fails(
    trio: jubilant.Juju, cluster: Cluster, capsys: pytest.CaptureFixture[str]
) -> None:
    load, phases = changes.under_load(trio, cluster)

    failed = report.failures(load)
    with capsys.disabled():
        # Of a process of pytest-xdist, the terminal shows the standard error alone.
        print(f"\n{report.table(load, phases)}", file=sys.stderr)
        for login in failed[:20]:
            began = login.start - phases[0].start
            print(f"{began:.1f} s {login.host} {login.kind}: {login.problem}", file=sys.stderr)
    assert not failed
    assert all(any(p.start <= x.start < p.end for x in load.logins) for p in phases)

"""The action `check` on every unit, leader or not."""

from __future__ import annotations

import jubilant
import pytest
from tests.integration.helpers import checking, units
from tests.integration.helpers.kubernetes import Cluster

pytestmark = pytest.mark.slow


def test_given_three_units_when_checked_then_each_finds_its_own_machine_well(
    trio: jubilant.Juju, cluster: Cluster
) -> None:
    for unit in units.names(trio):
        checking.wait_until_ok(trio, unit)


def test_given_a_file_that_is_gone_on_one_machine_then_that_unit_says_so_and_mends_it(
    trio: jubilant.Juju, cluster: Cluster
) -> None:
    *others, last = units.names(trio)
    machine = units.principal(trio, last)
    trio.exec(f"rm {units.WEBHOOK}", unit=machine)

    found = checking.check_until(trio, {"4-webhook": "failed"}, last)
    for unit in others:
        checking.wait_until_ok(trio, unit)
    checking.run_remedy(trio, found["4-webhook"])
    checking.wait_until_ok(trio, last)

"""The real nft takes the rules of what is broken, and forgets them when it is mended."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from testbed.faults.breakage import Fault, Target, lab_rules, machine_rules

MACHINES = [Target("10.85.0.10", "10.1.0.0/24", Path("/"), 1)]
RULES = {
    **{what: lab_rules(Fault(what), "t", MACHINES) for what in ("dns", "sts", "sts:silent")},
    "service": machine_rules("t"),
}


@pytest.mark.parametrize("what", RULES)
def test_given_the_rules_of_a_fault_then_nft_applies_and_removes_them(what: str) -> None:
    removal = "add table ip t\ndelete table ip t\n"
    in_a_network_of_its_own = ("unshare", "--net", "sh", "-ec")
    script = "nft --file - <<E\n{}E\nnft list table ip t\nnft --file - <<E\n{}E\nnft list tables"
    done = subprocess.run(
        [*in_a_network_of_its_own, script.format(RULES[what], removal)],
        capture_output=True,
        text=True,
        check=False,
        timeout=20,
    )

    assert done.stderr == ""
    assert done.stdout.startswith("table ip t {")
    assert done.stdout.rstrip().endswith("}")

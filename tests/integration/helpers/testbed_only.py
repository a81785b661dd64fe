"""What the testbed's controller does for a test and no operator can do, and Juju 3 alone.

In a lab with a real Juju, each of these skips the test that calls it.
"""

from __future__ import annotations

import os

import jubilant
import pytest

from testbed import testbedctl
from testbed.realjuju import programs


def require(reason: str) -> None:
    """Skip the running test, for this reason, on a controller that is not the testbed's."""
    if testbedctl.is_available():
        return
    stood_in = _in_lab() and programs.chosen() is None
    assert not stood_in, "testbedctl is missing in a lab whose Juju is the testbed's"
    pytest.skip(reason)


def require_juju_3(juju: jubilant.Juju, reason: str) -> None:
    """Skip the running test, for this reason, on Juju 4."""
    if juju.version().tuple >= (4,):
        pytest.skip(reason)


def stop_agent(juju: jubilant.Juju, unit: str) -> None:
    """Stop the agent of a unit: it runs no hook, and another unit leads."""
    require("only the testbed stops an agent at will")
    testbedctl.run(_model(juju), "stop-agent", unit)


def start_agent(juju: jubilant.Juju, unit: str) -> None:
    require("only the testbed starts an agent at will")
    testbedctl.run(_model(juju), "start-agent", unit)


def move_leader(juju: jubilant.Juju, unit: str) -> None:
    require("only the testbed moves a leader at will")
    testbedctl.run(_model(juju), "move-leader", unit)


def ask_authority(juju: jubilant.Juju, application: str, request: str, *argument: str) -> str:
    """Have a certificate authority do what the original has no action for."""
    require("only the testbed's authorities do this at will")
    return testbedctl.run(_model(juju), "authority", application, request, *argument)


def exit_codes(juju: jubilant.Juju, unit: str) -> set[int]:
    """Return the exit codes of every hook that a unit has run."""
    require("only the testbed keeps the exit code of every hook")
    return {run["code"] for run in testbedctl.hooks(_model(juju), unit)}


def _in_lab() -> bool:
    return "TESTBED_STATE" in os.environ


def _model(juju: jubilant.Juju) -> str:
    assert juju.model
    return juju.model

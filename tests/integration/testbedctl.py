"""The testbed's controller, which does for a test what no operator can do.

Whoever needs it is skipped on any other controller.
"""

from __future__ import annotations

import shutil
import subprocess

import jubilant
import pytest


def found() -> bool:
    """Whether this is the testbed."""
    return bool(shutil.which("testbedctl"))


def needed(reason: str) -> None:
    """Skip the test that runs, for this reason, where this is not the testbed."""
    if not found():
        pytest.skip(reason)


def run(juju: jubilant.Juju, command: str, *args: str) -> str:
    """What ``testbedctl`` prints, about the model of ``juju``.

    Raises:
        subprocess.CalledProcessError: it failed; what it said is its ``stderr``.
    """
    return subprocess.run(
        ["testbedctl", command, "--model", juju.model or "", *args],
        capture_output=True,
        text=True,
        check=True,
    ).stdout

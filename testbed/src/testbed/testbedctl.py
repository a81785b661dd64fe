"""Run `testbedctl` from a test or a benchmark, as the lab's operator."""

from __future__ import annotations

import json
import shutil
import subprocess
from typing import Any

_SECONDS = 60.0
_GRACE_SECONDS = 30.0


class TestbedctlError(Exception):
    """The command failed or took too long; the message says which command, and why."""


def is_available() -> bool:
    """Return whether the controller on PATH is a testbed's."""
    return bool(shutil.which("testbedctl"))


def run(model: str, command: str, *args: str, seconds: float = _SECONDS) -> str:
    """Run a command on a model and return what it prints. Raises TestbedctlError."""
    line = ["testbedctl", command, "--model", model, *args]
    try:
        done = subprocess.run(line, capture_output=True, text=True, timeout=seconds, check=False)
    except subprocess.TimeoutExpired:
        raise TestbedctlError(f"{' '.join(line)}: no answer after {seconds:.0f} s") from None
    if done.returncode:
        raise TestbedctlError(f"{' '.join(line)}: {done.stderr.strip()}")
    return done.stdout


def settle(model: str, seconds: float = 300.0) -> None:
    """Wait until no hook runs or is due in a model. Raises TestbedctlError."""
    run(model, "settle", f"--wait={seconds:.0f}s", seconds=seconds + _GRACE_SECONDS)


def update_status(model: str, unit: str) -> None:
    """Run update-status on a unit now, and wait until the model has settled."""
    run(model, "trigger", unit, "update-status")
    settle(model)


def hooks(model: str, unit: str) -> list[dict[str, Any]]:
    """Return every hook that a unit has run, as `uniter/processes.py` writes them."""
    return json.loads(run(model, "hooks", unit))

"""Who runs `juju` in a test: the operator of the stand-in, or of a real controller."""

from __future__ import annotations

import contextlib
import json
import os
import re
import subprocess
import time
import uuid
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from testbed.juju.manner import Manner

_COMMAND_SECONDS = 300
_SETTLE_SECONDS = 300
# Juju 4 runs some hooks seconds after the command that leads to them.
_QUIET_SECONDS = 8
_RAN = re.compile(r'ran "(\S+)" hook')


@dataclass(frozen=True)
class Done:
    """The result of a command."""

    returncode: int
    stdout: str
    stderr: str


class Operator(ABC):
    """Runs commands of `juju` in a folder, in one model."""

    folder: Path

    @property
    @abstractmethod
    def manner(self) -> Manner:
        """The Juju of the controller, or the one that is most like it."""

    @abstractmethod
    def try_(self, *args: str, stdin: str = "") -> Done:
        """Run a command and return its result, success or not."""

    @abstractmethod
    def settle(self) -> None:
        """Wait until no hook runs or is due."""

    @abstractmethod
    def hooks(self, unit: str) -> list[str]:
        """Return the names of the hooks that succeeded, in order."""

    def __call__(self, *args: str, stdin: str = "") -> str:
        done = self.try_(*args, stdin=stdin)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def refused(self, *args: str, code: int = 1, stdin: str = "") -> str:
        """Return the error message of a command, which must fail."""
        done = self.try_(*args, stdin=stdin)
        assert done.returncode == code, done.stdout + done.stderr
        return done.stderr

    def status(self, *selectors: str) -> dict[str, Any]:
        return json.loads(self("status", "--format", "json", *selectors))

    def unit(self, name: str) -> dict[str, Any]:
        """Return what the status says of a principal's unit."""
        return self.status()["applications"][name.partition("/")[0]]["units"][name]

    def shown(self, unit: str, endpoint: str) -> dict[str, Any]:
        """Return what show-unit prints about one relation of a unit."""
        report = json.loads(self("show-unit", unit, "--format", "json"))[unit]
        return next(r for r in report["relation-info"] if r["endpoint"] == endpoint)

    def inside(self, unit: str, command: str) -> str:
        """Return what a command prints that runs among the hooks of a unit."""
        return self("exec", "--unit", unit, "--", command).strip()

    def refused_inside(self, unit: str, command: str) -> str:
        """Return what a command says that must fail among the hooks of a unit."""
        done = self.try_("exec", "--unit", unit, "--", command)
        assert done.returncode != 0, done.stdout
        return done.stdout + done.stderr

    def log(self, unit: str) -> str:
        """Return the log of a unit from its beginning."""
        return self("debug-log", "--replay", "--include", unit)


@dataclass(frozen=True)
class RealOperator(Operator):
    """The operator of a real controller, in a lab."""

    folder: Path
    model: str

    @property
    def manner(self) -> Manner:
        return Manner.JUJU_3_6 if real_version().startswith("3.") else Manner.JUJU_4_1

    def try_(self, *args: str, stdin: str = "") -> Done:
        done = subprocess.run(
            ["juju", *args],
            cwd=self.folder,
            env=os.environ | {"JUJU_MODEL": self.model},
            input=stdin,
            capture_output=True,
            text=True,
            timeout=_COMMAND_SECONDS,
            check=False,
        )
        return Done(done.returncode, done.stdout, done.stderr)

    def settle(self) -> None:
        until = time.monotonic() + _SETTLE_SECONDS
        quiet_since, last = time.monotonic(), ""
        while time.monotonic() - quiet_since < _QUIET_SECONDS:
            assert time.monotonic() < until, f"not settled: {last}"
            status = self.status()
            agents = [(name, unit["juju-status"]) for name, unit in _units(status)]
            now = json.dumps([list(status["applications"]), sorted(status["machines"]), agents])
            idle = all(agent.get("current") in ("idle", "error") for _, agent in agents)
            idle &= all(
                app.get("life", "alive") == "alive" for app in status["applications"].values()
            )
            if now != last or not idle:
                quiet_since, last = time.monotonic(), now
            time.sleep(0.5)

    def log(self, unit: str) -> str:
        """Return the unit's file on a machine that stays: 3.6's debug-log leaves lines out."""
        file = f"/var/log/juju/unit-{unit.replace('/', '-')}.log"
        there = [n for n, u in _units(self.status()) if u["workload-status"]["current"] != "error"]
        read = ("--format=json", "--", f"cat {file} || true")
        tasks = json.loads(self("exec", "--unit", ",".join(there), *read))
        return max((task["results"].get("stdout", "") for task in tasks.values()), key=len)

    def hooks(self, unit: str) -> list[str]:
        return _RAN.findall(self.log(unit))


def _units(status: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for application in status["applications"].values():
        for name, unit in application.get("units", {}).items():
            yield name, unit
            yield from unit.get("subordinates", {}).items()


def is_real() -> bool:
    """Return whether TESTBED_JUJU names the programs of a real Juju."""
    return "/" in os.environ.get("TESTBED_JUJU", "")


def real_version() -> str:
    """Return the version of the real `juju`."""
    juju = Path(os.environ["TESTBED_JUJU"]) / "juju"
    return subprocess.run([juju, "version"], capture_output=True, text=True, check=True).stdout


@contextlib.contextmanager
def a_model(folder: Path) -> Iterator[RealOperator]:
    """Yield the operator of a new model on the real controller of this lab."""
    name = f"test-{uuid.uuid4().hex[:8]}"
    operator = RealOperator(folder, name)
    subprocess.run(["juju", "add-model", "--no-switch", name], capture_output=True, check=True)
    try:
        yield operator
    finally:
        destroy = ("destroy-model", "--no-prompt", "--force", "--no-wait", name)
        subprocess.run(["juju", *destroy], capture_output=True, check=False)

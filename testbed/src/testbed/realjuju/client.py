"""Runs the real `juju` as the lab's operator."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from testbed.realjuju.programs import Programs

CONTROLLER_NAME = "testbed"
_SECONDS = 600


class JujuFailed(Exception):
    """A command of juju failed; the message holds the command and its last lines."""


@dataclass(frozen=True)
class Client:
    """The client of one lab, with its data below the operator's home."""

    programs: Programs
    home: Path

    @property
    def data(self) -> Path:
        """The folder that JUJU_DATA names."""
        return data_folder(self.home)

    def run(self, *argv: str) -> str:
        """Run a command and return what it prints on both streams. Raises JujuFailed."""
        return self._run(argv, subprocess.STDOUT)

    def json(self, *argv: str) -> Any:
        """Run a command with JSON output, and return it. Raises JujuFailed."""
        return json.loads(self._run([*argv, "--format=json"], subprocess.PIPE))

    def _run(self, argv: Sequence[str], errors: int) -> str:
        done = subprocess.run(
            [str(self.programs.juju), *argv],
            env=self.environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            timeout=_SECONDS,
            check=False,
        )
        if done.returncode:
            said = (done.stderr or done.stdout).strip()
            raise JujuFailed(f"juju {' '.join(argv)}: {said[-2000:]}")
        return done.stdout

    def public_keys(self) -> str:
        """Return the operator's public SSH keys, which the client makes when it first runs."""
        self.run("clouds", "--client", "--all")
        return "".join(key.read_text() for key in sorted((self.data / "ssh").glob("*.pub")))

    def environment(self) -> dict[str, str]:
        """Return the environment of the client."""
        return {
            "HOME": str(self.home),
            "JUJU_DATA": str(self.data),
            "LANG": "C.UTF-8",
            "PATH": os.environ["PATH"],
        }


def data_folder(home: Path) -> Path:
    """Return the folder that the client keeps its data in."""
    return home / ".local" / "share" / "juju"

"""Processes of a unit on its machine: the tools they find, their start and their end."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from testbed.juju.manner import Manner
from testbed.juju.state.machine import MachineLike
from testbed.juju.state.model import Unit
from testbed.juju.state.paths import TOOLS_DIR, charm_dir, inside, tools_dir

_DRAIN_SECONDS = 1.0
_JUJUD = """#!/bin/sh
case "${1-}" in
version | --version) echo VERSION ;;
*)
    echo "ERROR unrecognized command: jujud ${1-}" >&2
    exit 2
    ;;
esac
"""


def install_tools(
    machine: MachineLike, unit: Unit, program: Path, tools: Sequence[str], manner: Manner
) -> None:
    """Put the hook tools on the machine: one program under many names.

    As in Juju, the machine has them once, and each agent has a link to them. charmhelpers asks
    tools/machine-N/jujud for Juju's version.
    """
    folder = inside(machine, f"{TOOLS_DIR}/{manner.binary_version}")
    if not folder.exists():
        _fill_tools(folder, program, tools, manner)
    for agent in (tools_dir(unit.name), f"{TOOLS_DIR}/machine-{unit.machine.id}"):
        link = inside(machine, agent)
        if not link.is_symlink():
            link.symlink_to(folder.name)


def _fill_tools(folder: Path, program: Path, tools: Sequence[str], manner: Manner) -> None:
    new = folder.with_name(f"{folder.name}.new")
    shutil.rmtree(new, ignore_errors=True)
    new.mkdir(parents=True)
    shutil.copy2(program, new / "jujuc")
    for tool in tools:
        (new / tool).symlink_to("jujuc")
    (new / "jujud").write_text(_JUJUD.replace("VERSION", manner.binary_version))
    (new / "jujud").chmod(0o755)
    new.rename(folder)


@dataclass(frozen=True)
class Handler:
    """The script that runs a hook or an action, and its kind in Juju's log."""

    script: str
    kind: str


def find_handler(machine: MachineLike, unit: str, path: str) -> Handler | None:
    """Return the charm's dispatch script, or else the one at `path`, as hooks/start."""
    scripts = {
        "dispatch": "hook dispatching script: dispatch",
        path: "explicit, bespoke hook script",
    }
    for name, kind in scripts.items():
        script = f"{charm_dir(unit)}/{name}"
        if inside(machine, script, follow=True).exists():
            return Handler(script, kind)
    return None


Output = tuple[Callable[[str], object], Callable[[str], object]]  # of stdout, of stderr


class Run:
    """One process of a unit. It passes the lines of its output on until it ends."""

    def __init__(
        self,
        machine: MachineLike,
        argv: Sequence[str],
        env: Mapping[str, str],
        cwd: str,
        output: Output,
    ):
        self._process = machine.popen(
            argv,
            env=env,
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        self._pumps = [
            _pump(self._process.stdout, output[0]),
            _pump(self._process.stderr, output[1]),
        ]

    def wait(self) -> int:
        """Return the exit code, negative for a signal."""
        code = self._process.wait()
        for pump in self._pumps:  # a daemon that it started may keep its output open
            pump.join(_DRAIN_SECONDS)
        return code

    def kill(self) -> None:
        """SIGKILL the process, and everything that it started in its process group."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)


def _pump(stream: IO[bytes], handle: Callable[[str], object]) -> threading.Thread:
    def copy() -> None:
        with stream:
            for line in stream:
                handle(line.decode(errors="replace").rstrip("\n"))

    thread = threading.Thread(target=copy, daemon=True)
    thread.start()
    return thread

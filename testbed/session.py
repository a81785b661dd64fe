"""A lab as its user sees it: started, entered, ended, from outside."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO

from testbed import cache, keeper
from testbed.cluster import enter
from testbed.places import Places

CONTROLLER = "testbed.juju.cliserver:serve"
"""What runs in a booted lab, unless a test brings something of its own."""

_CHECKOUT = Path(__file__).resolve().parents[1]
_SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_BOOT_SECONDS = 60
_END_SECONDS = 30
_LOG_LINES = 15
_PASSED_ON = ("TERM", "COLORTERM", "NO_COLOR", "CI", "COLUMNS", "LINES", "PYTEST_ADDOPTS")


class LabFailed(Exception):
    """A lab did not start, is not up, or did not end; the message says which and what to do."""


class Session:
    """A lab that this process started and owns: it ends with `end`, and with this process."""

    def __init__(self, places: Places, programs: Path, controller: str = CONTROLLER) -> None:
        """Start a lab and return when it is ready. Raises LabFailed."""
        self.places = places
        self._programs = programs
        reader, self._owner = os.pipe()
        self._keeper = _start(places, programs, controller, owner=reader)
        os.close(reader)

    def popen(
        self, argv: Sequence[str], *, stdout: int | None = None, stderr: int | None = None
    ) -> subprocess.Popen[bytes]:
        """Start a program as the operator, in this process's working directory."""
        return popen(self.places, self._programs, argv, stdout=stdout, stderr=stderr)

    def end(self) -> None:
        """End the lab and all that runs in it, and return when nothing of it is left."""
        os.close(self._owner)
        self._keeper.wait(_END_SECONDS)
        keeper.clean(self.places)

    def __enter__(self) -> Session:
        return self

    def __exit__(self, *_: object) -> None:
        self.end()


def up(places: Places, programs: Path) -> None:
    """Start a lab that stays, and return when it is ready. Raises LabFailed."""
    _start(places, programs, CONTROLLER, owner=None)


def down(places: Places) -> bool:
    """End a lab, or remove what a crashed one left; say whether one was up. Raises LabFailed."""
    pid = keeper.find(places)
    if pid is not None:
        os.kill(pid, signal.SIGTERM)
        deadline = time.monotonic() + _END_SECONDS
        while keeper.find(places) is not None:
            if time.monotonic() > deadline:
                raise LabFailed(f"the lab {places.name} does not end; its keeper is process {pid}")
            time.sleep(0.02)
    keeper.clean(places)
    return pid is not None


def popen(
    places: Places,
    programs: Path,
    argv: Sequence[str],
    *,
    stdout: int | None = None,
    stderr: int | None = None,
) -> subprocess.Popen[bytes]:
    """Start a program as the operator of a lab that is up, in this process's working directory.

    Raises LabFailed.
    """
    try:
        pid = json.loads(places.lab_file.read_text())["pid"]
    except FileNotFoundError:
        raise LabFailed(
            f"no lab named {places.name} is up: start one with `python -m testbed up`"
        ) from None
    command = enter.command(pid, argv, cwd=str(Path.cwd()))
    environment = operator_environment(places, programs, os.environ)
    return subprocess.Popen(command, env=environment, stdout=stdout, stderr=stderr)


def operator_environment(
    places: Places, programs: Path, outer: Mapping[str, str]
) -> dict[str, str]:
    """Return the operator's environment: from nothing, but for terminal and TESTBED_ settings."""
    passed_on = {
        key: value
        for key, value in outer.items()
        if key in _PASSED_ON or key.startswith("TESTBED_")
    }
    tools = Path(sys.executable).parent
    return {
        **passed_on,
        "PATH": f"{_CHECKOUT / 'testbed' / 'bin'}:{programs}:{tools}:{_SYSTEM_PATH}",
        "HOME": str(places.client_home),
        "LANG": "C.UTF-8",
        "USER": "root",
        "AWS_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_IAM_CACHE": str(cache.cache_dir()),
        "TESTBED_NAME": places.name,
        "TESTBED_STATE": str(places.state),
    }


def _start(
    places: Places, programs: Path, controller: str, *, owner: int | None
) -> subprocess.Popen[bytes]:
    if keeper.find(places) is not None:
        raise LabFailed(
            f"a lab named {places.name} is up already: end it with `python -m testbed down`, "
            "or choose another TESTBED_NAME"
        )
    with tempfile.TemporaryFile() as log:
        process = _start_keeper(places, programs, controller, owner, log)
        try:
            _wait_until_ready(places, process, log)
        except BaseException:
            process.terminate()
            process.wait(_END_SECONDS)
            raise
    return process


def _start_keeper(
    places: Places, programs: Path, controller: str, owner: int | None, log: IO[bytes]
) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "testbed.keeper", places.name, str(programs), controller]
    pipes = [] if owner is None else [owner]
    return subprocess.Popen(
        [*command, *map(str, pipes)],
        cwd=_CHECKOUT,
        env=_inner_environment(),
        pass_fds=pipes,
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=log,
        start_new_session=True,
    )


def _inner_environment() -> dict[str, str]:
    """Return the environment of the lab's own processes: nothing of the host's but TESTBED_."""
    settings = {key: value for key, value in os.environ.items() if key.startswith("TESTBED_")}
    return {
        **settings,
        "PATH": _SYSTEM_PATH,
        "HOME": "/root",
        "LANG": "C.UTF-8",
        "AWS_IAM_CACHE": str(cache.cache_dir()),
    }


def _wait_until_ready(places: Places, process: subprocess.Popen[bytes], log: IO[bytes]) -> None:
    deadline = time.monotonic() + _BOOT_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise LabFailed(f"the lab {places.name} did not start:\n{_last_lines(log)}")
        if _answers(places, process.pid):
            return
        time.sleep(0.01)
    raise LabFailed(
        f"the lab {places.name} was not ready within {_BOOT_SECONDS} s:\n{_last_lines(log)}"
    )


def _answers(places: Places, keeper_pid: int) -> bool:
    """Whether the lab of this keeper does, and not one of the same name that is still dying."""
    try:
        kept_by = json.loads(places.lab_file.read_text()).get("keeper")
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(str(places.juju_socket))
    except (OSError, ValueError):
        return False
    return kept_by == keeper_pid


def _last_lines(log: IO[bytes]) -> str:
    log.seek(0)
    return "\n".join(log.read().decode(errors="replace").strip().splitlines()[-_LOG_LINES:])

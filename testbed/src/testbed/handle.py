"""A lab from outside: starting it, running programs in it, ending it."""

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

from testbed import cache, supervisor
from testbed.cluster import enter
from testbed.paths import LabPaths
from testbed.realjuju import client as realclient
from testbed.realjuju import programs as realjuju

STAND_IN = "testbed.juju.cli.server:serve"
"""The function that stands in for Juju in a booted lab."""

_SOURCES = Path(__file__).resolve().parents[1]
_BIN = _SOURCES.parent / "bin"
_SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_BOOT_SECONDS = 60
_BOOTSTRAP_SECONDS = 600
_END_SECONDS = 30
_LOG_LINES = 15
_PASSED_ON = ("TERM", "COLORTERM", "NO_COLOR", "CI", "COLUMNS", "LINES", "PYTEST_ADDOPTS")


class LabFailed(Exception):
    """A lab did not start, is not up, or did not end; the message says which and what to do."""


class LabHandle:
    """A lab that this process started and owns. It ends with `end` or with this process."""

    def __init__(self, paths: LabPaths, programs: Path, controller: str = "") -> None:
        """Start a lab, and return when it is ready. Raises LabFailed or ValueError.

        Juju runs in it, the stand-in or a real one, unless `controller` names another function.
        """
        self.paths = paths
        chosen = controller or _chosen_controller()
        reader, self._owner = os.pipe()
        self._supervisor = _start(paths, programs, chosen, owner=reader)
        os.close(reader)

    def popen(
        self, argv: Sequence[str], *, stdout: int | None = None, stderr: int | None = None
    ) -> subprocess.Popen[bytes]:
        """Start a program as the operator, in this process's working directory."""
        return popen(self.paths, argv, stdout=stdout, stderr=stderr)

    def end(self) -> None:
        """End the lab and all that runs in it, and return when everything is removed."""
        os.close(self._owner)
        self._supervisor.wait(_END_SECONDS)
        supervisor.clean(self.paths)

    def __enter__(self) -> LabHandle:
        return self

    def __exit__(self, *_: object) -> None:
        self.end()


def up(paths: LabPaths, programs: Path) -> None:
    """Start a lab that outlives this process, and return when it is ready.

    Raises LabFailed or ValueError.
    """
    _start(paths, programs, _chosen_controller(), owner=None)


def down(paths: LabPaths) -> bool:
    """End a lab, or remove what a crashed one left. Raises LabFailed.

    Return whether one was up.
    """
    pid = supervisor.find(paths)
    if pid is not None:
        os.kill(pid, signal.SIGTERM)
        deadline = time.monotonic() + _END_SECONDS
        while supervisor.find(paths) is not None:
            if time.monotonic() > deadline:
                raise LabFailed(
                    f"the lab {paths.name} does not end; its supervisor is process {pid}"
                )
            time.sleep(0.02)
    supervisor.clean(paths)
    return pid is not None


def popen(
    paths: LabPaths,
    argv: Sequence[str],
    *,
    stdout: int | None = None,
    stderr: int | None = None,
) -> subprocess.Popen[bytes]:
    """Start a program as the operator of a lab that is up, in this process's working directory.

    Raises LabFailed.
    """
    try:
        lab = json.loads(paths.lab_file.read_text())
    except FileNotFoundError:
        raise LabFailed(
            f"no lab named {paths.name} is up: start one with `python -m testbed up`"
        ) from None
    command = enter.command(lab["pid"], argv, cwd=str(Path.cwd()))
    environment = operator_environment(paths, Path(lab["programs"]), os.environ)
    return subprocess.Popen(command, env=environment, stdout=stdout, stderr=stderr)


def operator_environment(
    paths: LabPaths, programs: Path, outer: Mapping[str, str]
) -> dict[str, str]:
    """Return the operator's environment.

    Of the outer one it keeps the settings of the terminal and of the testbed.
    """
    passed_on = {
        key: value
        for key, value in outer.items()
        if key in _PASSED_ON or key.startswith("TESTBED_")
    }
    tools = Path(sys.executable).parent
    real = realjuju.chosen()
    return {
        **passed_on,
        **({"JUJU_DATA": str(realclient.data_folder(paths.client_home))} if real else {}),
        "PATH": f"{real.path if real else _BIN}:{programs}:{tools}:{_SYSTEM_PATH}",
        "PYTHONPATH": str(_SOURCES),  # tests and benchmarks call `testbed.testbedctl`
        "HOME": str(paths.client_home),
        "LANG": "C.UTF-8",
        "USER": "root",
        "AWS_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_IAM_CACHE": str(cache.cache_dir()),
        "TESTBED_NAME": paths.name,
        "TESTBED_STATE": str(paths.state),
    }


def _chosen_controller() -> str:
    return realjuju.CONTROLLER if realjuju.chosen() else STAND_IN


def _start(
    paths: LabPaths, programs: Path, controller: str, *, owner: int | None
) -> subprocess.Popen[bytes]:
    if supervisor.find(paths) is not None:
        raise LabFailed(
            f"a lab named {paths.name} is up already: end it with `python -m testbed down`, "
            "or choose another TESTBED_NAME"
        )
    with tempfile.TemporaryFile() as log:
        process = _start_supervisor(paths, programs, controller, owner, log)
        try:
            _wait_until_ready(paths, process, log)
        except BaseException:
            process.terminate()
            process.wait(_END_SECONDS)
            raise
    return process


def _start_supervisor(
    paths: LabPaths, programs: Path, controller: str, owner: int | None, log: IO[bytes]
) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "testbed.supervisor", paths.name, str(programs), controller]
    pipes = [] if owner is None else [owner]
    return subprocess.Popen(
        [*command, *map(str, pipes)],
        cwd=_SOURCES,
        env=_lab_environment(),
        pass_fds=pipes,
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=log,
        start_new_session=True,
    )


def _lab_environment() -> dict[str, str]:
    """Return the environment of the lab's own processes, without the host's settings."""
    settings = {key: value for key, value in os.environ.items() if key.startswith("TESTBED_")}
    return {
        **settings,
        "PATH": _SYSTEM_PATH,
        "PYTHONPATH": os.environ.get("PYTHONPATH", ""),
        "HOME": "/root",
        "LANG": "C.UTF-8",
        "AWS_IAM_CACHE": str(cache.cache_dir()),
    }


def _wait_until_ready(paths: LabPaths, process: subprocess.Popen[bytes], log: IO[bytes]) -> None:
    seconds = _BOOTSTRAP_SECONDS if realjuju.chosen() else _BOOT_SECONDS
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise LabFailed(f"the lab {paths.name} did not start:\n{_last_lines(log)}")
        if _is_ready(paths, process.pid):
            return
        time.sleep(0.01)
    raise LabFailed(f"the lab {paths.name} was not ready within {seconds} s:\n{_last_lines(log)}")


def _is_ready(paths: LabPaths, supervisor_pid: int) -> bool:
    """Return whether this supervisor's lab is ready. Another of that name may still be ending."""
    try:
        running = json.loads(paths.lab_file.read_text()).get("supervisor")
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(str(paths.juju_socket))
    except (OSError, ValueError):
        return False
    return running == supervisor_pid


def _last_lines(log: IO[bytes]) -> str:
    log.seek(0)
    return "\n".join(log.read().decode(errors="replace").strip().splitlines()[-_LOG_LINES:])

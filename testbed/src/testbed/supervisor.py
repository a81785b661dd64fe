"""Starts a lab from outside, waits for its end, and removes what the kernel does not.

`python -m testbed.supervisor NAME PROGRAMS CONTROLLER [OWNER]`. The lab ends with its first
process, when this process gets SIGTERM, or when its owner closes the pipe of descriptor OWNER.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import shutil
import signal
import socket
import struct
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from testbed.cluster import cgroups, host
from testbed.paths import LabPaths

_SOURCES = Path(__file__).resolve().parents[1]
_CREDENTIALS = struct.Struct("3i")


def find(paths: LabPaths) -> int | None:
    """Return the process id of a lab's supervisor, None if the lab is not up."""
    with socket.socket(socket.AF_UNIX) as connection:
        try:
            connection.connect(paths.supervisor_address)
        except ConnectionRefusedError:
            return None
        raw = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
        return _CREDENTIALS.unpack(raw)[0]


def clean(paths: LabPaths) -> None:
    """Remove folders and control groups of a lab that has ended. Raises OSError."""
    cgroups.remove(host.find_cgroups(), cgroups.group_of_lab(paths.name))
    for folder in (paths.disk, paths.state):
        if folder.exists():
            shutil.rmtree(folder)
        with contextlib.suppress(OSError):
            folder.parent.rmdir()


def main(arguments: Sequence[str]) -> int:
    """Run one lab to its end; return the exit code of its controller process."""
    name, programs, controller, *owner = arguments
    paths = LabPaths(name)
    with socket.socket(socket.AF_UNIX) as alone:
        alone.bind(paths.supervisor_address)
        alone.listen()
        clean(paths)
        try:
            return _run(paths, programs, controller, [int(number) for number in owner])
        finally:
            clean(paths)


def _run(paths: LabPaths, programs: str, controller: str, owner: list[int]) -> int:
    stop, stopping = os.pipe()
    signal.signal(signal.SIGTERM, lambda *_: os.write(stopping, b"x"))
    paths.state.mkdir(parents=True)
    paths.disk.mkdir(parents=True)
    command = [sys.executable, "-m", "testbed.lab", paths.name, programs, controller]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=_SOURCES) as lab:
        assert lab.stdout is not None
        first_process = lab.stdout.readline()
        if not first_process:
            return lab.wait()
        facts = {"pid": int(first_process), "supervisor": os.getpid(), "programs": programs}
        paths.lab_file.write_text(json.dumps(facts))
        ended = os.pidfd_open(lab.pid)
        select.select([ended, stop, *owner], [], [])
        with contextlib.suppress(ProcessLookupError):
            os.kill(int(first_process), signal.SIGKILL)
        return lab.wait()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

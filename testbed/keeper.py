"""Holds a lab from outside: starts it, waits for its end, removes what the kernel does not.

`python -m testbed.keeper NAME PROGRAMS CONTROLLER [OWNER]`. The lab ends when its first process
does, on SIGTERM to this one, or when the pipe with file number OWNER is closed by whoever asked
for the lab.
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
from testbed.places import Places

_CHECKOUT = Path(__file__).resolve().parents[1]
_CREDENTIALS = struct.Struct("3i")


def find(places: Places) -> int | None:
    """Return the process id of a lab's keeper, None if no such lab is up."""
    with socket.socket(socket.AF_UNIX) as connection:
        try:
            connection.connect(places.keeper_address)
        except ConnectionRefusedError:
            return None
        raw = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
        return _CREDENTIALS.unpack(raw)[0]


def clean(places: Places) -> None:
    """Remove folders and control groups of a lab that has ended. Raises OSError."""
    cgroups.remove(host.find_cgroups(), cgroups.group_of_lab(places.name))
    for folder in (places.disk, places.state):
        if folder.exists():
            shutil.rmtree(folder)
        with contextlib.suppress(OSError):
            folder.parent.rmdir()


def main(arguments: Sequence[str]) -> int:
    """Keep one lab; return the exit code of its controller process."""
    name, programs, controller, *owner = arguments
    places = Places(name)
    with socket.socket(socket.AF_UNIX) as alone:
        alone.bind(places.keeper_address)
        alone.listen()
        clean(places)
        try:
            return _keep(places, programs, controller, [int(number) for number in owner])
        finally:
            clean(places)


def _keep(places: Places, programs: str, controller: str, owner: list[int]) -> int:
    stop, stopping = os.pipe()
    signal.signal(signal.SIGTERM, lambda *_: os.write(stopping, b"x"))
    places.state.mkdir(parents=True)
    places.disk.mkdir(parents=True)
    command = [sys.executable, "-m", "testbed.lab", places.name, programs, controller]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=_CHECKOUT) as lab:
        assert lab.stdout is not None
        first_process = lab.stdout.readline()
        if not first_process:
            return lab.wait()
        who = {"pid": int(first_process), "keeper": os.getpid()}
        places.lab_file.write_text(json.dumps(who))
        ended = os.pidfd_open(lab.pid)
        select.select([ended, stop, *owner], [], [])
        with contextlib.suppress(ProcessLookupError):
            os.kill(int(first_process), signal.SIGKILL)
        return lab.wait()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

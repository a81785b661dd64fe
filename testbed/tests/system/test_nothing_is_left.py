"""No process, mount, control group or folder of a lab stays, whichever part of it is killed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from system import control_plane, plain
from system.control_plane import eventually, kubectl
from testbed import handle, supervisor
from testbed.cluster import host
from testbed.paths import LabPaths

CHECKOUT = Path(__file__).resolve().parents[2]


def traces(paths: LabPaths) -> list[str]:
    """Return everything on this machine that has the lab's name in it."""
    cgroups = host.find_cgroups()
    folders = [paths.state, paths.disk]
    folders += [hierarchy / f"aws-iam-{paths.name}" for hierarchy in cgroups.hierarchies]
    found = [str(folder) for folder in folders if folder.exists()]
    found += [line for line in Path("/proc/mounts").read_text().splitlines() if paths.name in line]
    for process in Path("/proc").glob("[0-9]*"):
        try:
            words = (process / "cmdline").read_bytes() + (process / "mounts").read_bytes()
        except OSError:
            continue
        if paths.name.encode() in words and process.name != str(os.getpid()):
            found.append(f"process {process.name}")
    return found


@pytest.fixture
def paths() -> LabPaths:
    return LabPaths(f"gone-{os.getpid()}")


@pytest.fixture
def owned(paths: LabPaths, programs: Path) -> handle.LabHandle:
    """A lab with a node that runs a pod."""
    lab = handle.LabHandle(paths, programs, plain.CONTROLLER)
    machine = plain.Remote(paths).create("left", 0)
    control_plane.start(machine)
    eventually(30, lambda: control_plane.is_ready(machine, machine.hostname), "node Ready")
    run = ("run", "pod", "--image=registry.k8s.io/pause:3.10", "--restart=Never")
    eventually(20, lambda: kubectl(machine, *run).code == 0, "pod created")
    state = ("get", "pod", "pod", "-o", "jsonpath={.status.phase}")
    eventually(20, lambda: kubectl(machine, *state).output == "Running", "pod runs")
    return lab


def test_after_an_orderly_end(owned: handle.LabHandle) -> None:
    assert traces(owned.paths)
    owned.end()
    assert traces(owned.paths) == []


def first_process(paths: LabPaths) -> int:
    return json.loads(paths.lab_file.read_text())["pid"]


def child_of(pid: int) -> int:
    return int(Path(f"/proc/{pid}/task/{pid}/children").read_text().split()[0])


VICTIMS: dict[str, Callable[[LabPaths], int]] = {
    "supervisor": lambda paths: supervisor.find(paths) or 0,
    "process that waits for the lab": lambda paths: child_of(supervisor.find(paths) or 0),
    "first process": first_process,
    "controller process": lambda paths: child_of(first_process(paths)),
}


@pytest.mark.parametrize("victim", VICTIMS)
def test_after_a_kill(victim: str, owned: handle.LabHandle) -> None:
    os.kill(VICTIMS[victim](owned.paths), signal.SIGKILL)
    owned.end()
    assert traces(owned.paths) == []


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_after_the_owner_is_killed(
    number: signal.Signals, paths: LabPaths, programs: Path
) -> None:
    program = (
        "import pathlib, signal, sys, time; from testbed import handle, paths;"
        # Ignored in all that a shell starts in the background, these tests included.
        "signal.signal(signal.SIGINT, signal.default_int_handler);"
        "where, programs = paths.LabPaths(sys.argv[1]), pathlib.Path(sys.argv[2]);"
        "lab = handle.LabHandle(where, programs, sys.argv[3]);"
        "print('up', flush=True); time.sleep(60)"
    )
    command = [sys.executable, "-c", program, paths.name, str(programs), plain.CONTROLLER]
    with subprocess.Popen(
        command, cwd=CHECKOUT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as owner:
        assert owner.stdout is not None
        assert owner.stdout.readline() == b"up\n"
        plain.Remote(paths).create("left", 0)
        owner.send_signal(number)
        owner.wait(10)
    eventually(10, lambda: traces(paths) == [], "nothing left")


def test_the_next_lab_of_a_name_removes_what_a_crashed_one_left(
    paths: LabPaths, programs: Path
) -> None:
    first = handle.LabHandle(paths, programs, plain.CONTROLLER)
    plain.Remote(paths).create("left", 0)
    os.kill(supervisor.find(paths) or 0, signal.SIGKILL)
    eventually(10, lambda: supervisor.find(paths) is None, "supervisor gone")
    assert paths.state.exists()
    with handle.LabHandle(paths, programs, plain.CONTROLLER):
        assert plain.Remote(paths).create("left", 0).check("hostname") == "juju-left-0\n"
    assert traces(paths) == []
    first.end()


def test_a_machine_that_is_killed_can_be_closed(paths: LabPaths, programs: Path) -> None:
    with handle.LabHandle(paths, programs, plain.CONTROLLER) as lab:
        machine = plain.Remote(paths).create("left", 0)
        inside = ["kill", "-KILL", str(machine.pid)]
        assert lab.popen(inside).wait() == 0
        machine.close()
        groups = [
            h / f"aws-iam-{paths.name}" / machine.hostname for h in host.find_cgroups().hierarchies
        ]
        assert [str(group) for group in groups if group.exists()] == []
        assert not Path(machine.root).exists()
        assert plain.Remote(paths).create("left", 0).address == machine.address

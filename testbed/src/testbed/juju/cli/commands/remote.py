"""juju ssh and scp: commands on a machine as one of its users, a file to or from it."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import threading
from dataclasses import dataclass
from pathlib import Path

from testbed.juju.cli.invocation import Command, Invocation
from testbed.juju.errors import JujuError, SshError, UsageError
from testbed.juju.flags import Parsed
from testbed.juju.manner import Manner
from testbed.juju.state import names
from testbed.juju.state.machine import MachineLike
from testbed.juju.state.paths import SEARCH_PATH, inside


@dataclass(frozen=True)
class Target:
    """A machine and the user on it."""

    host: MachineLike
    user: str

    @property
    def home(self) -> str:
        return "/root" if self.user == "root" else f"/home/{self.user}"


def find_target(invocation: Invocation, text: str) -> Target:
    """Return the target `[USER@]UNIT`, `[USER@]APP/leader` or `[USER@]MACHINE`."""
    user, at, name = text.rpartition("@")
    with invocation.controller.lock:
        model = invocation.model
        if names.is_machine(name):
            machine = model.machine(name)
        elif names.is_unit_or_leader(name):
            machine = model.unit(name).machine
        else:
            raise JujuError(f'target "{text}" not found')
        if machine.host is None:
            raise JujuError(f"machine {machine.id} is not up yet")
        target = Target(machine.host, user if at else "ubuntu")
        # A model of Juju 4.1 has no SSH key.
        if model.manner is Manner.JUJU_4_1:
            raise SshError(f"{target.user}@{machine.host.address}: Permission denied (publickey).")
        return target


def ssh(invocation: Invocation, parsed: Parsed) -> int:
    if not parsed.args:
        raise UsageError("no target name specified")
    target = find_target(invocation, parsed.args[0])
    words = parsed.args[1:]
    if words[:1] == ["--"]:
        words = words[1:]
    shell = ["/bin/bash", "-c", " ".join(words)] if words else ["/bin/bash", "-l"]
    env = {
        "HOME": target.home,
        "LANG": "C.UTF-8",
        "LOGNAME": target.user,
        "PATH": SEARCH_PATH,
        "SHELL": "/bin/bash",
        "USER": target.user,
    }
    if invocation.is_terminal():
        env["TERM"] = invocation.env.get("TERM", "xterm")
    process = target.host.popen(
        shell,
        env=env,
        cwd=target.home,
        user=target.user,
        stdin=invocation.stdin,
        stdout=invocation.stdout,
        stderr=invocation.stderr,
        start_new_session=True,
    )
    return _wait(invocation, process)


def _wait(invocation: Invocation, process: subprocess.Popen[bytes]) -> int:
    """Return the command's exit code. End the command if the client ends first."""
    ended = threading.Event()

    def watch() -> None:
        while not ended.wait(0.2):
            if invocation.gone():
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGHUP)
                return

    threading.Thread(target=watch, daemon=True).start()
    code = process.wait()
    ended.set()
    return code if code >= 0 else 255


def scp(invocation: Invocation, parsed: Parsed) -> None:
    if len(parsed.args) != 2:
        raise UsageError("two arguments required")
    source, destination = parsed.args
    origin, _ = _place(invocation, source)
    goal, owner = _place(invocation, destination)
    if goal.is_dir():
        goal = goal / origin.name
    try:
        shutil.copyfile(origin, goal)
        goal.chmod(origin.stat().st_mode & 0o777)
        if owner is not None:
            home = inside(owner.host, owner.home).stat()
            os.chown(goal, home.st_uid, home.st_gid)
    except OSError as error:
        raise JujuError(f"scp: {source}: {(error.strerror or str(error)).lower()}") from error


def _place(invocation: Invocation, text: str) -> tuple[Path, Target | None]:
    """Return a file here, or on a machine (`UNIT:PATH`)."""
    name, colon, path = text.partition(":")
    if not colon or name.startswith((".", "/")):
        return invocation.path(text), None
    target = find_target(invocation, name)
    return inside(target.host, os.path.join(target.home, path), follow=True), target


COMMANDS = (
    Command(
        "ssh", ssh, "Runs a command on a machine, or opens a shell there.", interspersed=False
    ),
    Command("scp", scp, "Copies a file to or from a machine."),
)  # fmt: skip

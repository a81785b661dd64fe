"""juju ssh and scp: commands on a machine as its user ubuntu, a file to or from it."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import threading
from pathlib import Path

from testbed.juju.cli.invocation import Command, Invocation
from testbed.juju.errors import JujuError, SshError, UsageError
from testbed.juju.flags import Parsed
from testbed.juju.manner import Manner
from testbed.juju.state import names
from testbed.juju.state.machine import MachineLike
from testbed.juju.state.paths import SEARCH_PATH, inside

_USER, _HOME = "ubuntu", "/home/ubuntu"


def _machine(invocation: Invocation, name: str) -> MachineLike:
    """Return the machine of `UNIT`, `APP/leader` or a machine's number."""
    with invocation.controller.lock:
        model = invocation.model
        if names.is_machine(name):
            machine = model.machine(name)
        elif names.is_unit_or_leader(name):
            machine = model.unit(name).machine
        else:
            raise JujuError(f'target "{name}" not found')
        if machine.host is None:
            raise JujuError(f"machine {machine.id} is not up yet")
        # A model of Juju 4.1 has no SSH key.
        if model.manner is Manner.JUJU_4_1:
            raise SshError(f"{_USER}@{machine.host.address}: Permission denied (publickey).")
        return machine.host


def ssh(invocation: Invocation, parsed: Parsed) -> int:
    if not parsed.args:
        raise UsageError("no target name specified")
    host = _machine(invocation, parsed.args[0])
    words = parsed.args[1:]
    if words[:1] == ["--"]:
        words = words[1:]
    shell = ["/bin/bash", "-c", " ".join(words)] if words else ["/bin/bash", "-l"]
    env = {
        "HOME": _HOME,
        "LANG": "C.UTF-8",
        "LOGNAME": _USER,
        "PATH": SEARCH_PATH,
        "SHELL": "/bin/bash",
        "USER": _USER,
    }
    if os.isatty(invocation.stdout):
        env["TERM"] = invocation.env.get("TERM", "xterm")
    process = host.popen(
        shell,
        env=env,
        cwd=_HOME,
        user=_USER,
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
    source, goal = (_place(invocation, text) for text in parsed.args)
    try:
        shutil.copy(source, goal)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise JujuError(f"scp: {parsed.args[0]}: {reason}") from error


def _place(invocation: Invocation, text: str) -> Path:
    """Return a file here, or on a machine (`UNIT:PATH`)."""
    name, colon, path = text.partition(":")
    if not colon or name.startswith((".", "/")):
        return invocation.path(text)
    return inside(_machine(invocation, name), os.path.join(_HOME, path), follow=True)


COMMANDS = (
    Command(
        "ssh", ssh, "Runs a command on a machine, or opens a shell there.", interspersed=False
    ),
    Command("scp", scp, "Copies a file to or from a machine."),
)  # fmt: skip

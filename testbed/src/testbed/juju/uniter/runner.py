"""Processes of a unit on its machine: its tools, its environment, start and end."""

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

from testbed.juju.hooktools.context import Context
from testbed.juju.state.assumes import FULL_VERSION, JUJU_VERSION
from testbed.juju.state.machine import MachineLike
from testbed.juju.state.model import Unit
from testbed.juju.state.paths import (
    SHARED_TOOLS_DIR,
    TOOLS_DIR,
    charm_dir,
    inside,
    tools_dir,
)

SOCKET = "/run/testbed-juju/tools.sock"
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/snap/bin"
_DRAIN_SECONDS = 1.0
_JUJUD = f"""#!/bin/sh
case "${{1-}}" in
version | --version) echo {FULL_VERSION} ;;
*)
    echo "ERROR unrecognized command: jujud ${{1-}}" >&2
    exit 2
    ;;
esac
"""


def install_tools(machine: MachineLike, unit: Unit, program: Path, tools: Sequence[str]) -> None:
    """Put the hook tools on the machine: one program under many names.

    As in Juju the machine has them once, and each agent has a link to them. charmhelpers asks
    tools/machine-N/jujud for Juju's version.
    """
    folder = inside(machine, SHARED_TOOLS_DIR)
    if not folder.exists():
        _fill_tools(folder, program, tools)
    for agent in (tools_dir(unit.name), f"{TOOLS_DIR}/machine-{unit.machine.id}"):
        link = inside(machine, agent)
        if not link.is_symlink():
            link.symlink_to(folder.name)


def _fill_tools(folder: Path, program: Path, tools: Sequence[str]) -> None:
    new = folder.with_name(f"{folder.name}.new")
    shutil.rmtree(new, ignore_errors=True)
    new.mkdir(parents=True)
    shutil.copy2(program, new / "jujuc")
    for tool in tools:
        (new / tool).symlink_to("jujuc")
    (new / "jujud").write_text(_JUJUD)
    (new / "jujud").chmod(0o755)
    new.rename(folder)


@dataclass(frozen=True)
class Handler:
    """The script that runs a hook or an action, and what Juju's log calls it."""

    script: str
    kind: str


def find_handler(machine: MachineLike, unit: str, path: str) -> Handler | None:
    """Return the charm's dispatch script, or the script at `path` (hooks/start). None: neither."""
    scripts = {
        "dispatch": "hook dispatching script: dispatch",
        path: "explicit, bespoke hook script",
    }
    for name, kind in scripts.items():
        script = f"{charm_dir(unit)}/{name}"
        if inside(machine, script, follow=True).exists():
            return Handler(script, kind)
    return None


def environment(context: Context, dispatch_path: str) -> dict[str, str]:
    """The environment of a hook, an action or `juju exec`, built from nothing."""
    unit, model = context.unit, context.model
    charm = charm_dir(unit.name)
    env = {
        "APT_LISTCHANGES_FRONTEND": "none",
        "CHARM_DIR": charm,
        "CLOUD_API_VERSION": "",
        "DEBIAN_FRONTEND": "noninteractive",
        "HOME": "/root",
        "JUJU_AGENT_SOCKET_ADDRESS": SOCKET,
        "JUJU_AGENT_SOCKET_NETWORK": "unix",
        "JUJU_API_ADDRESSES": "",
        "JUJU_AVAILABILITY_ZONE": "",
        "JUJU_CHARM_DIR": charm,
        "JUJU_CHARM_FTP_PROXY": "",
        "JUJU_CHARM_HTTPS_PROXY": str(model.setting("juju-https-proxy")),
        "JUJU_CHARM_HTTP_PROXY": str(model.setting("juju-http-proxy")),
        "JUJU_CHARM_NO_PROXY": str(model.setting("juju-no-proxy")),
        "JUJU_CONTEXT_ID": context.id,
        "JUJU_HOOK_NAME": context.hook.name if context.hook else "",
        "JUJU_MACHINE_ID": unit.machine.id,
        "JUJU_MODEL_NAME": model.name,
        "JUJU_MODEL_UUID": model.uuid,
        "JUJU_PRINCIPAL_UNIT": unit.principal,
        "JUJU_UNIT_NAME": unit.name,
        "JUJU_VERSION": JUJU_VERSION,
        "LANG": "C.UTF-8",
        "PATH": f"{tools_dir(unit.name)}:{_PATH}",
        "TERM": "tmux-256color",
    }
    if dispatch_path:
        env["JUJU_DISPATCH_PATH"] = dispatch_path
    return env | _hook_variables(context) | _action_variables(context)


def _hook_variables(context: Context) -> dict[str, str]:
    hook = context.hook
    if hook is None:
        return {}
    if hook.secret:
        about = {"JUJU_SECRET_ID": hook.secret, "JUJU_SECRET_LABEL": hook.secret_label}
        if hook.kind in ("secret-expired", "secret-remove"):
            about["JUJU_SECRET_REVISION"] = str(hook.secret_revision)
        return about
    if hook.relation_id < 0:
        return {}
    return {
        "JUJU_RELATION": hook.endpoint,
        "JUJU_RELATION_ID": f"{hook.endpoint}:{hook.relation_id}",
        "JUJU_REMOTE_APP": hook.remote_application,
        "JUJU_REMOTE_UNIT": hook.remote_unit,
        "JUJU_DEPARTING_UNIT": hook.departing_unit,
    }


def _action_variables(context: Context) -> dict[str, str]:
    action = context.action
    if action is None:
        return {}
    return {
        "JUJU_ACTION_NAME": action.name,
        "JUJU_ACTION_UUID": action.id,
        "JUJU_ACTION_TAG": f"action-{action.id}",
    }


Output = tuple[Callable[[str], object], Callable[[str], object]]  # of stdout, of stderr


class Run:
    """One process of a unit, its output handed on line by line until it ends."""

    def __init__(
        self,
        machine: MachineLike,
        argv: Sequence[str],
        env: Mapping[str, str],
        cwd: str,
        output: Output,
        *,
        user: str | None = None,
    ):
        self._process = machine.popen(
            argv,
            env=env,
            cwd=cwd,
            user=user,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        self._pumps = [
            _pump(self._process.stdout, output[0]),
            _pump(self._process.stderr, output[1]),
        ]

    def wait(self, timeout: float | None = None) -> int:
        """The exit code, negative for a signal. Raises subprocess.TimeoutExpired."""
        code = self._process.wait(timeout)
        for pump in self._pumps:  # a daemon that it left may hold its output open for ever
            pump.join(_DRAIN_SECONDS)
        return code

    def kill(self) -> None:
        """SIGKILL to everything that it started and that did not leave its process group."""
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

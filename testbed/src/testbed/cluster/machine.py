"""A machine: namespaces, a root file system layered over the host's, services of its own."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from testbed.cluster import cgroups, enter, linux, network, rootfs
from testbed.cluster.host import Cgroups
from testbed.cluster.settings import PROGRAMS, SNAPS, Settings

PATH = f"{PROGRAMS}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
"""The PATH of a machine's services: the testbed's programs come first."""

_SOURCES = Path(__file__).resolve().parents[2]
_SYSTEM_PYTHON = "/usr/bin/python3"
_GO = {"GOGC": "400"}
"""Kubernetes' programs look for garbage less often. A lab has memory to spare, but few cores."""


class MachineFailed(Exception):
    """A machine did not start; the message says why."""


@dataclass(frozen=True)
class MachineSpec:
    """The input of a machine's PID 1 (see init.py)."""

    root: str
    hostname: str
    environment: Mapping[str, str]
    shared: Mapping[str, str]
    read_only: Mapping[str, str]
    images: str
    containerd_config: str
    snaps: Sequence[str]
    services: Sequence[str]


@dataclass(frozen=True)
class MachinePaths:
    """What a machine gets from its lab: folders, images, and a control group for its pods."""

    disk: Path
    agents: Path
    programs: Path
    images: Path
    cgroups: Cgroups
    cgroup: str


class Machine:
    """A running machine. `popen` and `root` work until `close`."""

    def __init__(
        self,
        settings: Settings,
        paths: MachinePaths,
        pid: int,
        starter: subprocess.Popen[str],
        on_close: Callable[[], None],
    ) -> None:
        self.id = str(settings.number)
        self.address = settings.address
        self.hostname = settings.hostname
        self.settings = settings
        self.root = paths.disk / "root"
        self.pid = pid
        self._paths = paths
        self._starter = starter
        self._on_close = on_close

    @classmethod
    def create(
        cls,
        settings: Settings,
        paths: MachinePaths,
        files: Mapping[str, bytes],
        on_close: Callable[[], None],
    ) -> Machine:
        """Start a machine with these files, by absolute path, and its containerd.

        Raises MachineFailed, NetworkFailed or OSError, and removes what it started by then.
        """
        with contextlib.ExitStack() as undo:
            undo.callback(_remove, paths)
            cgroups.create(paths.cgroups, paths.cgroup)
            rootfs.mount(paths.disk, files)
            starter = _start_init(settings, paths)
            undo.callback(starter.wait)
            undo.callback(starter.kill)
            pid = int(_line(starter, paths))
            undo.callback(network.disconnect, settings)
            network.connect(settings, pid)
            if _line(starter, paths) != "ready":
                raise MachineFailed(_failure(paths))
            undo.pop_all()
        return cls(settings, paths, pid, starter, on_close)

    def popen(
        self,
        argv: Sequence[str],
        *,
        env: Mapping[str, str],
        cwd: str = "/",
        user: str | None = None,
        **popen_kwargs: Any,
    ) -> subprocess.Popen[Any]:
        """Start a program in the machine. Killing the Popen kills the program."""
        command = enter.command(self.pid, argv, cwd=cwd, user=user)
        return subprocess.Popen(command, env=dict(env), **popen_kwargs)

    def close(self) -> None:
        """End the machine's processes; remove its files, mounts, network and control groups."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)
        self._starter.wait()
        network.disconnect(self.settings)
        _remove(self._paths)
        self._on_close()


def _start_init(settings: Settings, paths: MachinePaths) -> subprocess.Popen[str]:
    environment = {"PATH": PATH, "HOME": "/root", "LANG": "C.UTF-8"}
    spec = MachineSpec(
        root=str(paths.disk / "root"),
        hostname=settings.hostname,
        environment={**environment, **_GO},
        shared={
            str(paths.agents): "/run/testbed-juju",
            str(paths.disk / "containerd"): "/var/lib/containerd",
            str(paths.disk / "kubelet"): "/var/lib/kubelet",
        },
        read_only={
            str(paths.programs): PROGRAMS,
            str(paths.images.parent): "/var/lib/testbed/images",
        },
        images=f"/var/lib/testbed/images/{paths.images.name}",
        containerd_config="/etc/containerd/config.toml",
        snaps=SNAPS,
        services=["containerd", "testbed-images"],
    )
    spec_file = paths.disk / "machine.json"
    spec_file.write_text(json.dumps(asdict(spec)))
    python = _SYSTEM_PYTHON if Path(_SYSTEM_PYTHON).exists() else sys.executable
    with open(paths.disk / "init.log", "w") as log:
        return subprocess.Popen(
            [python, "-S", "-E", "-m", "testbed.cluster.init", str(spec_file)],
            cwd=_SOURCES,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            start_new_session=True,
        )


def _line(starter: subprocess.Popen[str], paths: MachinePaths) -> str:
    assert starter.stdout is not None
    line = starter.stdout.readline().strip()
    if not line:
        raise MachineFailed(_failure(paths))
    return line


def _failure(paths: MachinePaths) -> str:
    lines = (paths.disk / "init.log").read_text().strip().splitlines()
    return f"a machine did not start: {lines[-1] if lines else 'its first process ended'}"


def _remove(paths: MachinePaths) -> None:
    with contextlib.suppress(OSError):
        linux.unmount(str(paths.disk / "root"))
    cgroups.remove(paths.cgroups, paths.cgroup)
    shutil.rmtree(paths.disk, ignore_errors=True)

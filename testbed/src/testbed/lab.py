"""The inside of a lab: boots its network, AWS and etcd, and creates machines.

`python -m testbed.lab NAME PROGRAMS CONTROLLER` becomes the first process of the lab's namespaces.
Its child, the controller process, boots the lab and calls CONTROLLER (`module:function`, which
takes a `Lab` and blocks). Standard output carries one line: the first process's id as its starter
sees it.
"""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

from testbed import cache
from testbed.aws import accounts
from testbed.aws import service as aws
from testbed.cluster import cgroups, files, host, images, linux, network
from testbed.cluster.machine import Machine, MachinePaths
from testbed.cluster.settings import LAB_ADDRESS, Settings
from testbed.cluster.waiting import wait_for_port
from testbed.paths import LabPaths
from testbed.registry import service as registry

_CA_BUNDLE = Path(images.CA_BUNDLE)


class Lab:
    """A booted lab, inside the controller process."""

    def __init__(self, paths: LabPaths, programs: Path, trusted: files.Authorities) -> None:
        self.name = paths.name
        self.state = paths.state
        self.client_home = paths.client_home
        self.programs = programs
        self.charm_store = charm_store()
        self._disk = paths.disk
        self.trusted = trusted
        self._group = cgroups.group_of_lab(paths.name)
        self._cgroups = host.find_cgroups()
        self._may_raise_limits = host.has_capability(host.CAP_SYS_RESOURCE)
        self._lock = threading.Lock()
        self._keys: dict[str, files.ModelKeys] = {}
        self._machines: dict[int, Machine | None] = {}

    @property
    def images(self) -> Path:
        """The archive of the images that every machine imports."""
        return self._disk / "images" / "images.tar"

    def create_machine(
        self, model: str, number: int, base: str, more_files: Mapping[str, bytes] | None = None
    ) -> Machine:
        """Start a machine of a model. Raises MachineFailed. Safe to call from several threads.

        Of the base, it has only what /etc/os-release says. It starts with `more_files`, too.
        """
        keys, index = self._reserve(model)
        try:
            machine = self._start(model, number, index, base, keys, more_files or {})
        except BaseException:
            self._release(index)
            raise
        with self._lock:
            self._machines[index] = machine
        return machine

    def _start(
        self,
        model: str,
        number: int,
        index: int,
        base: str,
        keys: files.ModelKeys,
        more_files: Mapping[str, bytes],
    ) -> Machine:
        settings = Settings(
            model, number, index, self._cgroups.version, self._may_raise_limits, base
        )
        group = f"{self._group}/{settings.hostname}"
        paths = MachinePaths(
            disk=self._disk / "machines" / settings.hostname,
            agents=self.state / "agents",
            programs=self.programs,
            images=self.images,
            cgroups=self._cgroups,
            cgroup=group,
        )
        content = {**files.machine_files(settings, keys, group, self.trusted), **more_files}
        return Machine.create(settings, paths, content, on_close=lambda: self._release(index))

    def _reserve(self, model: str) -> tuple[files.ModelKeys, int]:
        with self._lock:
            keys = self._keys.setdefault(model, files.ModelKeys.new())
            index = next(i for i in range(len(self._machines) + 1) if i not in self._machines)
            self._machines[index] = None
            return keys, index

    def _release(self, index: int) -> None:
        with self._lock:
            self._machines.pop(index, None)


def charm_store() -> Path:
    """Return the folder of packed charms that TESTBED_CHARM_STORE names."""
    return Path(os.environ.get("TESTBED_CHARM_STORE") or cache.cache_dir() / "charms" / "store")


def trusted_authorities(aws_authority: bytes, bundle: Path = _CA_BUNDLE) -> bytes:
    """Return the host's CA bundle with AWS's authority at its end."""
    own = bundle.read_bytes() if bundle.exists() else b""
    return own.rstrip(b"\n") + b"\n" + aws_authority if own else aws_authority


def boot(paths: LabPaths, programs: Path) -> Lab:
    """Start everything that machines need. Raises OSError, NetworkFailed or NotListening."""
    (paths.state / "agents").mkdir(parents=True)
    _write_home(paths.client_home)
    network.set_up_lab()
    etcd = _start_etcd(paths, programs)
    stand_in = aws.start(paths.disk / "aws", paths.state)
    aws_authority = stand_in.authority
    private = registry.start(paths.disk / "registry", paths.state, programs, aws_authority)
    bundle = trusted_authorities(aws_authority)
    lab = Lab(paths, programs, files.Authorities(bundle, aws_authority, private.authority))
    _mount_operators_etc(paths.disk / "operator", lab.trusted.bundle)
    lab.images.parent.mkdir()
    images.write_archive(images.cluster_images(programs, aws_authority), lab.images)
    wait_for_port(LAB_ADDRESS, 2379, etcd, "etcd", paths.state / "etcd.log")
    stand_in.wait()
    private.wait()
    return lab


def _start_etcd(paths: LabPaths, programs: Path) -> subprocess.Popen[bytes]:
    clients = f"http://{LAB_ADDRESS}:2379"
    command = [
        str(programs / "etcd"),
        f"--data-dir={paths.disk / 'etcd'}",
        f"--listen-client-urls={clients}",
        f"--advertise-client-urls={clients}",
        "--listen-peer-urls=http://127.0.0.1:2380",
        "--log-level=warn",
        "--unsafe-no-fsync",
    ]
    with open(paths.state / "etcd.log", "wb") as log:
        return subprocess.Popen(command, stdout=log, stderr=log, stdin=subprocess.DEVNULL)


def _write_home(home: Path) -> None:
    """Give the operator's home the keys of every AWS user, as profiles."""
    (home / ".aws").mkdir(parents=True)
    (home / ".aws" / "credentials").touch(mode=0o600)
    (home / ".aws" / "credentials").write_text(accounts.shared_credentials())


def _mount_operators_etc(disk: Path, trusted: bytes) -> None:
    """Mount an /etc with the lab's DNS and AWS's authority for the operator.

    The operator has the host's root file system otherwise.
    """
    upper = disk / "etc"
    bundle = upper / _CA_BUNDLE.relative_to("/etc")
    bundle.parent.mkdir(parents=True)
    (disk / "work").mkdir()
    bundle.write_bytes(trusted)
    (upper / "resolv.conf").write_text(f"nameserver {LAB_ADDRESS}\n")
    layers = f"lowerdir=/etc,upperdir={upper},workdir={disk / 'work'},volatile"
    linux.mount("overlay", "/etc", "overlay", data=layers)


def main(arguments: Sequence[str]) -> None:
    """Become the first process of a lab, and fork the controller process."""
    name, programs, controller = arguments
    linux.die_with_parent()
    linux.become_first_process(linux.NEW_MOUNTS | linux.NEW_NETWORK)
    controller_pid = os.fork()
    if controller_pid != 0:
        _reap_until(controller_pid)
    linux.mount("", "/", flags=linux.PRIVATE | linux.RECURSIVE)
    linux.mount("proc", "/proc", "proc")
    paths = LabPaths(name)
    if host.file_system_of(paths.disk) == "overlay":
        linux.mount("tmpfs", str(paths.disk), "tmpfs")
    lab = boot(paths, Path(programs))
    module, function = controller.split(":")
    getattr(importlib.import_module(module), function)(lab)


def _reap_until(controller_pid: int) -> None:
    """Collect orphans until the controller process ends, and end then too.

    The kernel kills what is left in the namespaces with their first process.
    """
    while True:
        pid, status = os.wait()
        if pid == controller_pid:
            os._exit(os.waitstatus_to_exitcode(status) & 0xFF)


if __name__ == "__main__":
    main(sys.argv[1:])

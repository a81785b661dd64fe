"""PID 1 of a machine: `python3 -S -E -m testbed.cluster.init SPEC`.

It enters namespaces of its own, changes its root to the machine's, runs the machine's services and
answers the machine's `systemctl`. It runs on the system's python3, whichever Python runs the
testbed, so it imports the standard library only.

SPEC is a JSON file (see `MachineSpec` in machine.py). Standard output carries two lines: the
process id of this PID 1 as its starter sees it, and `ready`.
"""

from __future__ import annotations

import json
import os
import shlex
import socket
import sys
import threading
import time
from typing import Any

from testbed.cluster import linux, unitfiles
from testbed.cluster.services import ServiceManager, Unit

SOCKET = "/run/testbed/init.sock"
LOGS = "/var/log/testbed"
IMAGES_READY = "/run/testbed/images-ready"

FORWARDER = ["/usr/bin/python3", "-IS", "/root/cdk/auth-webhook/forwarder.py"]
"""The program that kubernetes-control-plane runs between its API server and other webhooks."""

TUNABLES = {
    "vm/overcommit_memory": "1",
    "vm/panic_on_oom": "0",
    "kernel/panic": "10",
    "kernel/panic_on_oops": "1",
    "kernel/keys/root_maxkeys": "1000000",
    "kernel/keys/root_maxbytes": "25000000",
}
"""The kernel settings that the kubelet wants, which it would change for the whole host.

So the machine has files with these values mounted over the kernel's own."""


def main() -> None:
    """Become PID 1 of the machine, and run its services until it is killed."""
    with open(sys.argv[1]) as file:
        spec = json.load(file)
    linux.become_first_process(
        linux.NEW_MOUNTS | linux.NEW_NETWORK | linux.NEW_IPC | linux.NEW_HOSTNAME
    )
    enter_root(spec)
    socket.sethostname(spec["hostname"])
    services = ServiceManager(units(spec), spec["environment"], LOGS)
    server = socket.socket(socket.AF_UNIX)
    server.bind(SOCKET)
    server.listen()
    threading.Thread(target=serve, args=(server, services), daemon=True).start()
    for name in spec["services"]:
        services.start(name)
    print("ready", flush=True)
    reap(services)


def enter_root(spec: dict[str, Any]) -> None:
    """Mount kernel file systems and shared folders in the machine's root, and enter it."""
    root = spec["root"]
    linux.mount("", "/", flags=linux.PRIVATE | linux.RECURSIVE)
    linux.mount("proc", f"{root}/proc", "proc")
    linux.mount("sysfs", f"{root}/sys", "sysfs")
    linux.mount("/sys/fs/cgroup", f"{root}/sys/fs/cgroup", flags=linux.BIND | linux.RECURSIVE)
    linux.mount("/dev", f"{root}/dev", flags=linux.BIND | linux.RECURSIVE)
    linux.mount("tmpfs", f"{root}/run", "tmpfs", data="mode=755")
    for source, target in {**spec["shared"], **spec["read_only"]}.items():
        os.makedirs(root + target, exist_ok=True)
        linux.mount(source, root + target, flags=linux.BIND)
    for target in spec["read_only"].values():
        linux.mount("", root + target, flags=linux.BIND | linux.REMOUNT | linux.READ_ONLY)
    cover_tunables(root)
    linux.pivot_root(root)
    linux.mount("", "/", flags=linux.SHARED | linux.RECURSIVE)
    os.makedirs(LOGS, exist_ok=True)
    os.makedirs(os.path.dirname(SOCKET), exist_ok=True)


def cover_tunables(root: str) -> None:
    """Mount files of this machine over the kernel settings of `TUNABLES`."""
    for name, value in TUNABLES.items():
        covered = f"{root}/proc/sys/{name}"
        if not os.path.exists(covered):
            continue
        cover = f"{root}/run/testbed/tunables/{name}"
        os.makedirs(os.path.dirname(cover), exist_ok=True)
        with open(cover, "w") as file:
            file.write(value + "\n")
        linux.mount(cover, covered, flags=linux.BIND)


def units(spec: dict[str, Any]) -> list[Unit]:
    """Return this machine's services.

    They are containerd, the import of images, the snaps, and the control plane's forwarder.
    """
    containerd = ["containerd", "--config", spec["containerd_config"]]
    images = ["sh", "-c", import_images(spec["images"])]
    snaps = [snap_unit(app) for app in spec["snaps"]]
    return [
        Unit("containerd", lambda: containerd),
        Unit("testbed-images", lambda: images, restarts=False),
        *snaps,
        Unit("cdk.master.auth-webhook", lambda: FORWARDER),
    ]


def import_images(archive: str) -> str:
    """Return a shell script that imports the images into containerd as soon as it listens."""
    return (
        "until [ -S /run/containerd/containerd.sock ]; do sleep 0.02; done; "
        f"ctr -n k8s.io image import {shlex.quote(archive)} && touch {IMAGES_READY}"
    )


def snap_unit(app: str) -> Unit:
    """Return the service of a snap, whose flags are in its `args` file, one on each line."""
    program = f"/snap/{app}/current/{app}"

    def command() -> list[str]:
        with open(f"/var/snap/{app}/current/args") as file:
            lines = [line.strip() for line in file]
        argv = [program, *(line for line in lines if line and not line.startswith("#"))]
        if app != "kubelet":
            return argv
        wait = f'until [ -e {IMAGES_READY} ]; do sleep 0.02; done; exec "$@"'
        return ["sh", "-c", wait, app, *argv]

    return Unit(f"snap.{app}.daemon", command)


def serve(server: socket.socket, services: ServiceManager) -> None:
    """Answer systemctl. Each connection has a thread, because a stop may take seconds."""
    while True:
        connection, _ = server.accept()
        threading.Thread(target=answer, args=(connection, services), daemon=True).start()


def answer(connection: socket.socket, services: ServiceManager) -> None:
    """Run one systemctl command line, which comes as a line of JSON."""
    with connection:
        request = json.loads(connection.makefile().readline())
        code, out, err = 0, "", ""
        for name in request["names"]:
            result = run_verb(request["verb"], unitfiles.service_of(name), services)
            code, out, err = code or result[0], out + result[1], err + result[2]
        connection.sendall(json.dumps({"code": code, "out": out, "err": err}).encode() + b"\n")


def run_verb(verb: str, name: str, services: ServiceManager) -> tuple[int, str, str]:
    """Run one verb on one service; return systemctl's exit code, standard output and error."""
    if not services.knows(name):
        if not unitfiles.exists(name):
            return unknown(verb, name)
        services.add(Unit(name, lambda: unitfiles.command(name)))
    if verb in ("enable", "disable", "daemon-reload", "link"):
        return 0, "", ""
    if verb == "reload":
        return 1, "", f"Failed to reload {name}.service: Job type reload is not applicable.\n"
    if verb in ("is-active", "status"):
        return report(verb, name, services)
    try:
        if verb in ("stop", "restart"):
            services.stop(name)
        if verb in ("start", "restart"):
            services.start(name)
    except OSError as error:
        return 1, "", f"Job for {name}.service failed: {error}\n"
    return 0, "", ""


def report(verb: str, name: str, services: ServiceManager) -> tuple[int, str, str]:
    """Return the state of a service in the form of `is-active` or of `status`."""
    state = services.state(name)
    code = 0 if state == "active" else 3
    if verb == "is-active":
        return code, f"{state}\n", ""
    pid = services.main_pid(name)
    main_pid = f"   Main PID: {pid}\n" if pid else ""
    return code, f"{name}.service\n     Active: {state}\n{main_pid}", ""


def unknown(verb: str, name: str) -> tuple[int, str, str]:
    """Return systemctl's answer for a service that does not exist."""
    if verb == "is-active":
        return 4, "inactive\n", ""
    if verb == "status":
        return 4, "", f"Unit {name}.service could not be found.\n"
    return 5, "", f"Failed to {verb} {name}.service: Unit {name}.service not found.\n"


def reap(services: ServiceManager) -> None:
    """Collect every process that ends in this machine, for as long as the machine lives."""
    while True:
        try:
            pid, status = os.wait()
        except ChildProcessError:
            time.sleep(0.05)
            continue
        services.ended(pid, os.waitstatus_to_exitcode(status))


if __name__ == "__main__":
    main()

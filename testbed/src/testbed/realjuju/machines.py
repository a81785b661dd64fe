"""The machines of each model: started by the lab, added to the model by Juju over SSH."""

from __future__ import annotations

import contextlib
import re
import socket
import threading
import time
from collections import defaultdict
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

from testbed.cluster import machine as cluster
from testbed.lab import Lab
from testbed.realjuju.client import Client, JujuFailed
from testbed.realjuju.machinefiles import SERVICES

_ADDED = re.compile(r"created machine (\d+)")
_AT_ONCE = 3
_SSH_SECONDS = 120


class Machines:
    """All machines of a lab, by model. Safe to use from several threads."""

    def __init__(self, lab: Lab, client: Client, files: Mapping[str, bytes]) -> None:
        self._lab, self._client, self._files = lab, client, files
        self._lock = threading.Lock()
        self._started: dict[str, int] = defaultdict(int)
        self._machines: dict[str, list[cluster.Machine]] = defaultdict(list)

    def start(
        self, model: str, base: str, more_files: Mapping[str, bytes] | None = None
    ) -> cluster.Machine:
        """Start a machine that answers SSH. Raises MachineFailed."""
        files = {**self._files, **(more_files or {})}
        with self._lock:
            number = self._started[model]
            self._started[model] += 1
        machine = self._lab.create_machine(model, number, base, files)
        with self._lock:
            self._machines[model].append(machine)
        environment = {"PATH": cluster.PATH}
        machine.popen(["systemctl", "start", *SERVICES], env=environment).wait()
        _wait_for_ssh(machine)
        return machine

    def add(self, model: str, count: int, base: str) -> list[str]:
        """Add machines to a model, and return their numbers. Raises JujuFailed."""
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            return list(pool.map(lambda _: self._add(model, base), range(count)))

    def _add(self, model: str, base: str) -> str:
        machine = self.start(model, base)
        output = self._client.run("add-machine", "-m", model, f"ssh:root@{machine.address}")
        found = _ADDED.search(output)
        if not found:
            raise JujuFailed(f"juju add-machine names no machine: {output.strip()[-500:]}")
        return found[1]

    def end(self, model: str) -> None:
        """End the machines of a model that is gone."""
        with self._lock:
            machines = self._machines.pop(model, [])
        for machine in machines:
            machine.close()


def _wait_for_ssh(machine: cluster.Machine) -> None:
    deadline = time.monotonic() + _SSH_SECONDS
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError), socket.create_connection((machine.address, 22), 1):
            return
        time.sleep(0.05)
    raise cluster.MachineFailed(f"machine {machine.hostname} does not answer SSH")

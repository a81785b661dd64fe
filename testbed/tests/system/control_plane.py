"""What a control-plane charm does to a machine, in a few lines."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

from system.plain import RemoteMachine

APPS = ("kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubelet", "kube-proxy")
KUBECONFIG = "/var/lib/testbed/pki/admin.kubeconfig"


def eventually(seconds: float, condition: Callable[[], Any], what: str) -> Any:
    """Return the first true value of a condition; fail after this many seconds."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if value := condition():
            return value
        time.sleep(0.1)
    raise AssertionError(f"not within {seconds} s: {what}")


def start(machine: RemoteMachine) -> None:
    """Start all of Kubernetes on a machine, with the flags that the machine came with."""
    for app in APPS:
        flags = machine.check("cat", f"/var/lib/testbed/args/{app}")
        machine.write(f"/var/snap/{app}/current/args", flags)
    machine.check("systemctl", "start", "snap.kube-apiserver.daemon")
    eventually(30, lambda: kubectl(machine, "get", "--raw=/readyz").code == 0, "API server ready")
    machine.check("systemctl", "start", *(f"snap.{app}.daemon.service" for app in APPS[1:]))


def kubectl(machine: RemoteMachine, *words: str, text: str = "") -> Any:
    """Run kubectl as the administrator, on the machine."""
    return machine.run("kubectl", f"--kubeconfig={KUBECONFIG}", *words, text=text)


def is_ready(machine: RemoteMachine, node: str) -> bool:
    """Return whether a node is Ready, according to a machine's API server."""
    answer = kubectl(machine, "get", "node", node, "-o", "json")
    if answer.code != 0:
        return False
    conditions = json.loads(answer.output)["status"]["conditions"]
    return any(c["type"] == "Ready" and c["status"] == "True" for c in conditions)

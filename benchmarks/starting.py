"""Measure how pods start: how soon each is ready, and how soon it lets people in."""

from __future__ import annotations

import http.client
import json
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.integration.helpers.kubernetes import Cluster
from tests.integration.helpers.load import changes

from benchmarks import programs
from testbed import testbedctl

_PORT = 21362
_PAUSE = 0.05
_PATIENCE = 120.0


@dataclass(frozen=True)
class Start:
    """Seconds after a pod's predecessor was deleted until both were seen of it."""

    ready: float
    lets_in: float


def replace(
    cluster: Cluster, number: int, token: Callable[[], str], username: str
) -> tuple[list[Start], float]:
    """Replace so many pods at once.

    Return how each new one started, and the most MiB that one of them had resident.

    Raises:
        TestbedctlError: they did not start within two minutes.
    """
    former = {_name(pod) for pod in _pods(cluster)}
    processes = {process.folder for process in programs.pods()}
    serving = [_name(pod) for pod in _pods(cluster) if "deletionTimestamp" not in pod["metadata"]]
    cluster.kubectl("-n", "kube-system", "delete", "pods", *serving[:number], "--wait=false")
    began = time.monotonic()
    ready: dict[str, float] = {}
    lets_in: dict[str, float] = {}
    while len(ready) + len(lets_in) < 2 * number:
        for pod in _pods(cluster):
            name = _name(pod)
            if name in former:
                continue
            if name not in ready and _is_ready(pod):
                ready[name] = time.monotonic() - began
            address = pod["status"].get("podIP", "")
            if address and name not in lets_in and _lets_in(address, token(), username):
                lets_in[name] = time.monotonic() - began
        if time.monotonic() - began > _PATIENCE:
            raise testbedctl.TestbedctlError("the authenticator's pods do not start")
        time.sleep(_PAUSE)
    new = [process for process in programs.pods() if process.folder not in processes]
    most = max(process.mebibytes("VmHWM") for process in new)
    return [Start(ready[name], lets_in[name]) for name in ready], most


def _pods(cluster: Cluster) -> list[dict[str, Any]]:
    return cluster.get(*changes.PODS)["items"]


def _name(pod: dict[str, Any]) -> str:
    return pod["metadata"]["name"]


def _is_ready(pod: dict[str, Any]) -> bool:
    conditions = pod["status"].get("conditions", [])
    return any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)


def _lets_in(address: str, token: str, username: str) -> bool:
    """Ask a pod itself, past the Service."""
    review = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenReview"}
    body = json.dumps({**review, "spec": {"token": token}})
    unverified = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    unverified.check_hostname, unverified.verify_mode = False, ssl.CERT_NONE
    connection = http.client.HTTPSConnection(address, _PORT, context=unverified, timeout=5)
    try:
        connection.request("POST", "/authenticate", body, {"Content-Type": "application/json"})
        status = json.loads(connection.getresponse().read())["status"]
    except (OSError, http.client.HTTPException, ValueError, KeyError):
        return False
    finally:
        connection.close()
    return status.get("user", {}).get("username") == username

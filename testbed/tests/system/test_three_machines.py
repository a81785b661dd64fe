"""Three machines of a model are one cluster: pods reach each other, a machine can be replaced."""

from __future__ import annotations

import json
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pytest

from system import control_plane
from system.control_plane import eventually, kubectl
from system.plain import Remote, RemoteMachine
from testbed.cluster.images import AUTHENTICATOR, AUTHENTICATOR_TAGS

SERVERS = {
    "apiVersion": "apps/v1",
    "kind": "DaemonSet",
    "metadata": {"name": "server"},
    "spec": {
        "selector": {"matchLabels": {"app": "server"}},
        "template": {
            "metadata": {"labels": {"app": "server"}},
            "spec": {
                "terminationGracePeriodSeconds": 0,
                "containers": [
                    {
                        "name": "server",
                        "image": f"{AUTHENTICATOR}:{AUTHENTICATOR_TAGS[1]}",
                        "args": [
                            "server",
                            "--cluster-id=x",
                            "--backend-mode=MountedFile",
                            "--state-dir=/state",
                            "--kubeconfig-pregenerated=true",
                            "--address=0.0.0.0",
                        ],
                        "env": [{"name": "AWS_EC2_METADATA_DISABLED", "value": "true"}],
                        "volumeMounts": [{"name": "state", "mountPath": "/state"}],
                    }
                ],
                "securityContext": {"fsGroup": 10000},
                "volumes": [{"name": "state", "emptyDir": {}}],
            },
        },
    },
}
SERVICE = {
    "apiVersion": "v1",
    "kind": "Service",
    "metadata": {"name": "server"},
    "spec": {"selector": {"app": "server"}, "ports": [{"port": 443, "targetPort": 21362}]},
}


@pytest.fixture(scope="module")
def machines(remote: Remote) -> list[RemoteMachine]:
    started = time.monotonic()
    with ThreadPoolExecutor() as pool:
        created = list(pool.map(lambda number: remote.create("three", number), range(3)))
        list(pool.map(control_plane.start, created))
    for machine in created:
        eventually(
            60, lambda m=machine: control_plane.is_ready(created[0], m.hostname), "node Ready"
        )
    print(f"three nodes Ready after {time.monotonic() - started:.1f} s")
    return created


@pytest.fixture(scope="module")
def pods(machines: list[RemoteMachine]) -> list[str]:
    """The addresses of a pod on each machine, which serves."""
    objects = "\n---\n".join(json.dumps(item) for item in (SERVERS, SERVICE))
    eventually(
        20, lambda: kubectl(machines[0], "apply", "-f", "-", text=objects).code == 0, "applied"
    )

    def addresses() -> list[str]:
        template = "jsonpath={.items[*].status.podIP}"
        found = kubectl(
            machines[1], "get", "pods", "-l", "app=server", "-o", template
        ).output.split()
        return found if len(found) == 3 else []

    return eventually(30, addresses, "three pods with an address")


def fetch(machine: RemoteMachine, address: str, port: int) -> int:
    program = (
        "import ssl, sys, urllib.request as u;"
        "c = ssl._create_unverified_context();"
        "print(u.urlopen(sys.argv[1], context=c, timeout=5).status)"
    )
    answer = machine.run("/usr/bin/python3", "-c", program, f"https://{address}:{port}/healthz")
    return int(answer.output) if answer.code == 0 else answer.code


def test_every_machine_reaches_every_pod(machines: list[RemoteMachine], pods: list[str]) -> None:
    assert len(set(pods)) == 3
    for machine in machines:
        for pod in pods:
            reached = partial(lambda m, p: fetch(m, p, 21362) == 200, machine, pod)
            eventually(10, reached, f"{pod} reached from {machine.hostname}")


def test_a_service_answers_on_every_machine(
    machines: list[RemoteMachine], pods: list[str]
) -> None:
    address = kubectl(
        machines[0], "get", "svc", "server", "-o", "jsonpath={.spec.clusterIP}"
    ).output
    for machine in machines:
        eventually(
            10, lambda m=machine: fetch(m, address, 443) == 200, f"{machine.hostname} served"
        )


def test_machines_do_not_share_files(machines: list[RemoteMachine]) -> None:
    machines[0].write("/root/mine", "0")
    assert machines[1].run("cat", "/root/mine").code != 0


def test_the_host_keeps_its_kernel_settings(machines: list[RemoteMachine]) -> None:
    assert machines[0].check("cat", "/proc/sys/vm/overcommit_memory") == "1\n"
    assert machines[0].check("cat", "/proc/sys/kernel/panic") == "10\n"
    assert Path("/proc/sys/kernel/panic").read_text() != "10\n"


def test_a_machine_can_replace_one_that_was_closed(
    machines: list[RemoteMachine], remote: Remote, pods: list[str]
) -> None:
    machines[2].close()
    fourth = remote.create("three", 3)
    control_plane.start(fourth)
    eventually(30, lambda: control_plane.is_ready(machines[0], fourth.hostname), "node Ready")
    assert fourth.address == machines[2].address

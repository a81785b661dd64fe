"""A machine of the lab behaves as charms expect one to."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path

import pytest

from system.control_plane import eventually
from system.plain import Remote, RemoteMachine
from testbed.handle import LabHandle

APP = "kube-scheduler"
SERVICE = f"snap.{APP}.daemon.service"


@pytest.fixture(scope="module")
def machine(remote: Remote) -> RemoteMachine:
    return remote.create("machines", 7)


@pytest.fixture
def service(machine: RemoteMachine) -> str:
    """A service that runs for as long as it is let."""
    machine.write(f"/var/snap/{APP}/current/args", "# nothing to schedule for\n--help\n")
    machine.check("systemctl", "stop", SERVICE)
    return SERVICE


def state(machine: RemoteMachine, service: str) -> str:
    return machine.run("systemctl", "is-active", service).output.strip()


def test_containerd_runs_from_the_start(machine: RemoteMachine) -> None:
    assert machine.run("systemctl", "is-active", "containerd").output == "active\n"
    images = ("ctr", "-n", "k8s.io", "images", "list", "--quiet")
    path = "/var/lib/testbed/programs"

    def listed() -> str:
        return machine.run(f"{path}/{images[0]}", *images[1:]).output

    eventually(10, lambda: "registry.k8s.io/pause:3.10" in listed(), "images imported")
    assert "aws-iam-authenticator:v0.7.18-eks-1-36-1" in listed()


def test_a_service_that_ends_is_started_again(machine: RemoteMachine, service: str) -> None:
    machine.check("systemctl", "start", service)
    log = ("journalctl", "-u", service, "--no-pager")
    eventually(5, lambda: machine.check(*log).count("restarts in 1 s") >= 2, "two restarts")
    assert state(machine, service) in ("active", "activating")
    machine.check("systemctl", "stop", service)
    assert state(machine, service) == "inactive"


def test_a_service_without_arguments_does_not_start(machine: RemoteMachine) -> None:
    answer = machine.run("systemctl", "start", "snap.kubelet.daemon")
    assert answer.code == 1
    assert "/var/snap/kubelet/current/args" in answer.output


@pytest.mark.parametrize(("verb", "code"), [("start", 5), ("status", 4), ("is-active", 4)])
def test_a_service_that_is_none_is_unknown(machine: RemoteMachine, verb: str, code: int) -> None:
    assert machine.run("systemctl", verb, "nginx").code == code


def test_what_systemctl_does_not_know_it_says(machine: RemoteMachine) -> None:
    answer = machine.run("systemctl", "isolate", "rescue.target")
    assert answer.code == 2
    assert "isolate" in answer.output


def test_a_log_can_be_cut_to_its_last_lines(machine: RemoteMachine) -> None:
    assert len(machine.check("journalctl", "-u", "containerd", "-n", "3").splitlines()) == 3


def test_a_machine_has_its_own_name_address_and_user(machine: RemoteMachine) -> None:
    assert machine.check("hostname") == "juju-machines-7\n"
    assert machine.address in machine.check("ip", "-brief", "address", "show", "eth0")
    who = machine.run(
        "sh", "-c", "id -un; id -u; test -w /home/ubuntu && echo home", user="ubuntu"
    )
    assert who.output.split() == ["ubuntu", "1000", "home"]


def test_the_hosts_own_is_out_of_sight(machine: RemoteMachine) -> None:
    assert machine.check("ls", "-A", "/root", "/tmp", "/home").split() == [
        "/home:",
        "ubuntu",
        "/root:",
        "/tmp:",
    ]
    processes = machine.check("sh", "-c", "ls -d /proc/[0-9]* | wc -l")
    assert int(processes) < 15
    mounts = machine.check("cat", "/proc/mounts").splitlines()
    assert [line.split()[1] for line in mounts].count("/") == 1


def test_built_programs_cannot_be_changed(machine: RemoteMachine) -> None:
    answer = machine.run("touch", "/var/lib/testbed/programs/kubectl")
    assert "Read-only file system" in answer.output


def test_a_machine_knows_awss_name_and_no_other(machine: RemoteMachine) -> None:
    found = machine.check("getent", "hosts", "sts.eu-west-1.amazonaws.com")
    assert found.split()[0] == "192.0.2.10"
    assert machine.run("getent", "hosts", "example.com").code == 2


def test_files_are_seen_from_outside(machine: RemoteMachine, lab: LabHandle) -> None:
    machine.write("/etc/new", "inside")
    process = lab.popen(["cat", f"{machine.root}/etc/new"], stdout=subprocess.PIPE)
    assert process.communicate()[0] == b"inside"
    assert not Path("/etc/new").exists()


def test_a_program_dies_with_the_popen_that_started_it(machine: RemoteMachine) -> None:
    machine.remote.ask(do="kill", hostname=machine.hostname, argv=["sleep", "4321"])
    eventually(2, lambda: "4321" not in running(machine), "sleep gone")


def running(machine: RemoteMachine) -> str:
    return machine.check("sh", "-c", "cat /proc/[0-9]*/cmdline | tr '\\0' ' '; true")


def test_the_operator_has_no_setting_of_the_hosts(
    lab: LabHandle, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTPS_PROXY", "SSL_CERT_FILE", "PYTHONDONTWRITEBYTECODE", "KUBECONFIG"):
        monkeypatch.setenv(name, "/host")
    process = lab.popen(["env"], stdout=subprocess.PIPE)
    output = process.communicate()[0].decode()
    assert "/host" not in output
    assert "AWS_REGION=us-east-1\n" in output


def test_a_machine_is_there_within_seconds(remote: Remote) -> None:
    started = time.monotonic()
    remote.create("machines", 8).close()
    assert time.monotonic() - started < 5


def test_an_address_is_free_as_soon_as_its_machine_is_closed(
    lab: LabHandle, remote: Remote
) -> None:
    """Not only when the kernel has ended its network namespace, which here outlives it."""
    first = remote.create("machines", 9)
    hold = f"exec 3</proc/{first.pid}/ns/net; echo held; exec sleep 60"
    with lab.popen(["sh", "-c", hold], stdout=subprocess.PIPE) as holder:
        try:
            assert holder.stdout is not None
            assert holder.stdout.readline() == b"held\n"
            first.close()
            second = remote.create("machines", 9)
            assert second.address == first.address
            second.close()
        finally:
            holder.kill()

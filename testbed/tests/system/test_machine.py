"""A machine of the lab behaves as charms expect one to."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from system.control_plane import eventually
from system.plain import Remote, RemoteMachine
from testbed.handle import LabHandle

APP = "kube-scheduler"
SERVICE = f"snap.{APP}.daemon.service"
STS = "sts.eu-west-1.amazonaws.com"
# The folder is what OpenSSL trusts by itself, the file what Go and others read.
CONNECTS = f"""
import socket, ssl
folder = "/etc/ssl/certs"
for trusted in ({{"cafile": folder + "/ca-certificates.crt"}}, {{"capath": folder}}):
    plain = socket.create_connection(("{STS}", 443))
    ssl.create_default_context(**trusted).wrap_socket(plain, server_hostname="{STS}").close()
"""


@pytest.fixture(scope="module")
def machine(remote: Remote) -> RemoteMachine:
    return remote.create("machines", 7)


@pytest.fixture
def service(machine: RemoteMachine) -> str:
    """A service that exits as soon as it has started."""
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
    assert "aws-iam-authenticator:v0.7.18-cvefix-eks-1-36-9" in listed()


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
def test_systemctl_does_not_find_an_unknown_service(
    machine: RemoteMachine, verb: str, code: int
) -> None:
    assert machine.run("systemctl", verb, "nginx").code == code


def test_systemctl_refuses_a_verb_that_it_does_not_know(machine: RemoteMachine) -> None:
    answer = machine.run("systemctl", "isolate", "rescue.target")
    assert answer.code == 2
    assert "isolate" in answer.output


def test_journalctl_can_show_the_last_lines_only(machine: RemoteMachine) -> None:
    assert len(machine.check("journalctl", "-u", "containerd", "-n", "3").splitlines()) == 3


def test_a_machine_has_its_own_name_address_and_user(machine: RemoteMachine) -> None:
    assert machine.check("hostname") == "juju-machines-7\n"
    assert machine.address in machine.check("ip", "-brief", "address", "show", "eth0")
    who = machine.run(
        "sh", "-c", "id -un; id -u; test -w /home/ubuntu && echo home", user="ubuntu"
    )
    assert who.output.split() == ["ubuntu", "1000", "home"]


def test_files_and_processes_of_the_host_are_not_visible(machine: RemoteMachine) -> None:
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


def test_the_dns_of_a_machine_resolves_awss_names_only(machine: RemoteMachine) -> None:
    found = machine.check("getent", "hosts", STS)
    assert found.split()[0] == "192.0.2.10"
    assert machine.run("getent", "hosts", "example.com").code == 2


def test_awss_authority_survives_an_update_of_the_authorities(machine: RemoteMachine) -> None:
    machine.check("update-ca-certificates")

    machine.check("python3", "-c", CONNECTS)


def test_root_and_ubuntu_may_become_anybody(machine: RemoteMachine) -> None:
    assert machine.run("sudo", "id", "-un", user="ubuntu").output == "root\n"
    assert machine.run("sudo", "-n", "--", "cat", "/etc/shadow", user="ubuntu").code == 0
    assert machine.check("sudo", "-u", "ubuntu", "sh", "-c", "id -un; id -gn").split() == [
        "ubuntu",
        "ubuntu",
    ]
    assert machine.run("sudo", "sh", "-c", "exit 7", user="ubuntu").code == 7


def test_sudo_gives_a_new_environment_or_keeps_the_callers(machine: RemoteMachine) -> None:
    shown = ("sh", "-c", "echo $HOME $USER $SUDO_USER $KEPT $GIVEN")
    given = ("env", "KEPT=kept", "HOME=/home/ubuntu", "sudo")

    new = machine.run(*given, "GIVEN=given", *shown, user="ubuntu").output
    kept = machine.run(*given, "-E", "GIVEN=given", *shown, user="ubuntu").output

    assert new.split() == ["/root", "root", "ubuntu", "given"]
    assert kept.split() == ["/home/ubuntu", "root", "ubuntu", "kept", "given"]


@pytest.mark.parametrize(
    ("arguments", "user", "said"),
    [
        (("true",), "daemon", "daemon is not in the sudoers file."),
        (("-i",), "root", "the testbed does not know -i"),
        (("-u", "mallory", "true"), "root", "unknown user mallory"),
        (("no-such-program",), "root", "no-such-program: command not found"),
        ((), "root", "usage: sudo"),
    ],
)
def test_what_sudo_refuses_it_says(
    machine: RemoteMachine, arguments: tuple[str, ...], user: str, said: str
) -> None:
    answer = machine.run("sudo", *arguments, user=user)
    assert answer.code == 1
    assert answer.output.startswith(f"sudo: {said}")


def test_files_of_a_machine_are_visible_outside_and_not_the_hosts(
    machine: RemoteMachine, lab: LabHandle
) -> None:
    machine.write("/etc/new", "inside")
    process = lab.popen(["cat", f"{machine.root}/etc/new"], stdout=subprocess.PIPE)
    assert process.communicate()[0] == b"inside"
    assert not Path("/etc/new").exists()


def test_a_program_dies_with_the_popen_that_started_it(machine: RemoteMachine) -> None:
    machine.remote.ask(do="kill", hostname=machine.hostname, argv=["sleep", "4321"])
    eventually(2, lambda: "4321" not in running(machine), "sleep gone")


def running(machine: RemoteMachine) -> str:
    return machine.check("sh", "-c", "cat /proc/[0-9]*/cmdline | tr '\\0' ' '; true")


def test_the_operator_has_no_settings_of_the_host(
    lab: LabHandle, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTPS_PROXY", "SSL_CERT_FILE", "PYTHONDONTWRITEBYTECODE", "KUBECONFIG"):
        monkeypatch.setenv(name, "/host")
    process = lab.popen(["env"], stdout=subprocess.PIPE)
    output = process.communicate()[0].decode()
    assert "/host" not in output
    assert "AWS_REGION=us-east-1\n" in output


def test_an_address_is_free_as_soon_as_its_machine_is_closed(
    lab: LabHandle, remote: Remote
) -> None:
    """The kernel would free it with the network namespace, which something here keeps open."""
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

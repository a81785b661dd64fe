"""A machine of the lab becomes a Kubernetes node, and a person with AWS keys logs in to it."""

from __future__ import annotations

import base64
import json
import subprocess
import time
from pathlib import Path

import pytest
import yaml

from system import control_plane
from system.control_plane import eventually, kubectl
from system.plain import Remote, RemoteMachine
from testbed.aws.accounts import ACCOUNTS_FILE
from testbed.cluster import pki
from testbed.cluster.images import AUTHENTICATOR, AUTHENTICATOR_TAGS
from testbed.handle import LabHandle

MANIFESTS = Path(__file__).parent / "authenticator.yaml"
CLUSTER_ID = "test-cluster"
USERS = yaml.safe_load(ACCOUNTS_FILE.read_text())["111122223333"]["users"]
KNOBBY = next(user for user in USERS if user["name"] == "knobby")
MALLORY = next(user for user in USERS if user["name"] == "mallory")
ROLE = "arn:aws:iam::111122223333:role/k8s-view-role"


@pytest.fixture(scope="module")
def machine(remote: Remote) -> RemoteMachine:
    started = time.monotonic()
    created = remote.create("clusters", 0)
    print(f"machine created after {time.monotonic() - started:.2f} s")
    control_plane.start(created)
    print(f"API server ready after {time.monotonic() - started:.2f} s")
    eventually(30, lambda: control_plane.is_ready(created, created.hostname), "node Ready")
    print(f"node Ready after {time.monotonic() - started:.2f} s")
    return created


@pytest.fixture(scope="module")
def authenticator(machine: RemoteMachine, lab: LabHandle) -> Path:
    """Run the authenticator behind the API server, and return a client's kubeconfig."""
    authority = pki.new_authority("authenticator-ca")
    name = "aws-iam-authenticator.kube-system.svc"
    pair = pki.issue(authority, "aws-iam-authenticator", sans=[name])
    text = MANIFESTS.read_text().replace("IMAGE", f"{AUTHENTICATOR}:{AUTHENTICATOR_TAGS[0]}")
    secret = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "aws-iam-authenticator", "namespace": "kube-system"},
        "stringData": {
            "cert.pem": pair.certificate_pem.decode(),
            "key.pem": pair.key_pem.decode(),
        },
    }
    started = time.monotonic()
    objects = f"{text}\n---\n{json.dumps(secret)}"
    eventually(
        20, lambda: kubectl(machine, "apply", "-f", "-", text=objects).code == 0, "objects applied"
    )
    deployment = "deployment/aws-iam-authenticator"
    wait = kubectl(machine, "-n", "kube-system", "rollout", "status", deployment, "--timeout=60s")
    assert wait.code == 0, wait.output
    print(f"authenticator serves after {time.monotonic() - started:.2f} s")
    jsonpath = "jsonpath={.spec.clusterIP}"
    service = kubectl(
        machine, "-n", "kube-system", "get", "svc", "aws-iam-authenticator", "-o", jsonpath
    )
    wait_until_known(machine, lab, service.output)
    ask_authenticator(machine, service.output, name, authority)
    return client_config(machine, lab)


def wait_until_known(machine: RemoteMachine, lab: LabHandle, address: str) -> None:
    """Wait until each pod maps the user and the role, and the Service leads to the pods.

    A pod finds a mapping by the status that one of the pods writes, and hears of that from the API
    server. After a restart of the API server that can take minutes, so wait ahead of it.
    """
    selected = ("-n", "kube-system", "get", "pods", "-l", "app=aws-iam-authenticator")
    names = kubectl(machine, *selected, "-o", "jsonpath={.items[*].metadata.name}").output.split()
    assert names
    pods = [f"/api/v1/namespaces/kube-system/pods/https:{name}:21362/proxy" for name in names]
    tokens = [token(lab, KNOBBY), token(lab, KNOBBY, "-r", ROLE)]
    reviews = [json.dumps({"spec": {"token": each}}) for each in tokens]

    def is_mapped(pod: str, review: str) -> bool:
        # A pod refuses a login with an error of HTTP.
        create = ("create", "--raw", f"{pod}/authenticate", "-f", "-")
        return kubectl(machine, *create, text=review).code == 0

    def are_mapped() -> bool:
        return all(is_mapped(pod, review) for pod in pods for review in reviews)

    eventually(60, are_mapped, "the mappings known in each pod")
    connect = f"import socket; socket.create_connection(({address!r}, 443), 5)"
    eventually(
        30, lambda: machine.run("python3", "-c", connect).code == 0, "Service leads to pods"
    )


def ask_authenticator(
    machine: RemoteMachine, address: str, name: str, authority: pki.Pair
) -> None:
    """Restart the API server with the authenticator as its webhook, and with RBAC."""
    ca = base64.b64encode(authority.certificate_pem).decode()
    cluster = {
        "server": f"https://{address}:443/authenticate",
        "tls-server-name": name,
        "certificate-authority-data": ca,
    }
    webhook = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "a", "cluster": cluster}],
        "contexts": [{"name": "a", "context": {"cluster": "a"}}],
        "current-context": "a",
    }
    machine.write("/root/webhook.yaml", json.dumps(webhook))
    flags = machine.check("cat", "/var/lib/testbed/args/kube-apiserver")
    flags = flags.replace("AlwaysAllow", "RBAC,Node")
    flags += "--authentication-token-webhook-config-file=/root/webhook.yaml\n"
    flags += "--authentication-token-webhook-version=v1beta1\n"
    machine.write("/var/snap/kube-apiserver/current/args", flags)
    restart = ("systemctl", "restart", "snap.kube-apiserver.daemon")
    control_plane.wait_for_api(machine, lambda: machine.check(*restart))


def client_config(machine: RemoteMachine, lab: LabHandle) -> Path:
    """Write a kubeconfig without a credential to the operator's home."""
    admin = yaml.safe_load(machine.check("cat", control_plane.KUBECONFIG))
    command = {
        "apiVersion": "client.authentication.k8s.io/v1",
        "command": "aws-iam-authenticator",
        "args": ["token", "-i", CLUSTER_ID],
        "interactiveMode": "Never",
    }
    role = {**command, "args": [*command["args"], "-r", ROLE]}
    admin["users"] = [
        {"name": "user", "user": {"exec": command}},
        {"name": "role", "user": {"exec": role}},
    ]
    admin["contexts"] = [
        {"name": name, "context": {"cluster": "juju-cluster", "user": name}}
        for name in ("user", "role")
    ]
    path = lab.paths.client_home / "kubeconfig"
    path.write_text(yaml.safe_dump(admin))
    return path


def with_keys(user: dict[str, str], *command: str) -> list[str]:
    """Return a command that runs with a user's keys in the environment."""
    keys = [
        f"AWS_ACCESS_KEY_ID={user['access-key']}",
        f"AWS_SECRET_ACCESS_KEY={user['secret-key']}",
    ]
    return ["env", *keys, *command]


def token(lab: LabHandle, user: dict[str, str], *options: str) -> str:
    """Return a login token, made on the operator's machine."""
    make = ("aws-iam-authenticator", "token", "-i", CLUSTER_ID, *options)
    process = lab.popen(with_keys(user, *make), stdout=subprocess.PIPE)
    output, _ = process.communicate(timeout=60)
    return json.loads(output)["status"]["token"]


def log_in(
    lab: LabHandle, kubeconfig: Path, user: dict[str, str], context: str = "user"
) -> tuple[int, str]:
    """Ask for pods on the operator's machine."""
    ask = ("kubectl", f"--kubeconfig={kubeconfig}", f"--context={context}", "get", "pods")
    command = with_keys(user, *ask)
    process = lab.popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    output, _ = process.communicate(timeout=60)
    return process.returncode, output.decode()


def test_a_mapped_user_logs_in(lab: LabHandle, authenticator: Path) -> None:
    started = time.monotonic()
    code, output = log_in(lab, authenticator, KNOBBY)
    print(f"login took {time.monotonic() - started:.2f} s")
    assert (code, output) == (0, "No resources found in default namespace.\n")


def test_a_mapped_role_logs_in_by_way_of_assume_role(lab: LabHandle, authenticator: Path) -> None:
    code, output = log_in(lab, authenticator, KNOBBY, context="role")
    assert code == 1
    assert 'User "viewer" cannot list resource "pods"' in output


def test_a_wrong_secret_is_refused(lab: LabHandle, authenticator: Path) -> None:
    code, output = log_in(lab, authenticator, {**KNOBBY, "secret-key": "wrong"})
    assert code == 1
    assert "Unauthorized" in output


def test_a_user_without_mapping_is_refused(lab: LabHandle, authenticator: Path) -> None:
    code, output = log_in(lab, authenticator, MALLORY)
    assert code == 1
    assert "Unauthorized" in output


def test_logs_of_pods_can_be_read(machine: RemoteMachine, authenticator: Path) -> None:
    answer = kubectl(machine, "-n", "kube-system", "logs", "deploy/aws-iam-authenticator")
    assert answer.code == 0
    assert "listening on" in answer.output


def test_the_host_keeps_its_kernel_settings(machine: RemoteMachine) -> None:
    assert machine.check("cat", "/proc/sys/vm/overcommit_memory") == "1\n"
    assert machine.check("cat", "/proc/sys/kernel/panic") == "10\n"
    assert Path("/proc/sys/kernel/panic").read_text() != "10\n"

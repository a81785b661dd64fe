"""A unit of the testbed's control plane: a machine in a folder, hooks, and what is looked at."""

from __future__ import annotations

import dataclasses
import json
import runpy
from collections.abc import Callable
from pathlib import Path

import yaml
from ops import testing

from control_plane_charm import ControlPlane
from host import Host

CHARM = Path(__file__).parents[1]
ADMIN = {
    "clusters": [{"name": "juju-cluster", "cluster": {"server": "https://10.85.0.10:6443"}}],
    "users": [{"name": "admin", "user": {"client-certificate-data": "Y2VydA=="}}],
    "contexts": [
        {"name": "juju-context", "context": {"cluster": "juju-cluster", "user": "admin"}}
    ],
    "current-context": "juju-context",
}
WEBHOOK_FILE = """
clusters:
- cluster:
    server: https://10.152.183.7:443/authenticate
    certificate-authority-data: YXV0aG9yaXR5
    tls-server-name: aws-iam-authenticator.kube-system.svc
"""
RENDERED = "root/cdk/auth-webhook/auth-webhook.py"
TRUST = "root/cdk/auth-webhook/trust.json"
WEBHOOK_PATH = "root/cdk/aws-iam-webhook.yaml"
FORWARDER = "cdk.master.auth-webhook.service"
ARGS = "var/snap/kube-apiserver/current/args"
APPS = ("kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubelet", "kube-proxy")


Run = Callable[..., testing.State]


@dataclasses.dataclass(frozen=True)
class FakeHost(Host):
    """A machine in a folder. Services run once they are started; `silent` ones never answer."""

    commands: list[str] = dataclasses.field(default_factory=list)
    running: set[str] = dataclasses.field(default_factory=set)
    silent: bool = False

    def systemctl(self, verb: str, service: str) -> bool:
        if verb == "is-active":
            return service in self.running
        self.commands.append(f"{verb} {service}")
        if verb == "stop":
            self.running.discard(service)
        else:
            self.running.add(service)
        return True

    def kubectl(self, *arguments: str) -> bool:
        self.commands.append(f"kubectl {' '.join(arguments)}")
        return not self.silent

    def output(self, *command: str) -> str:
        program, *_ = command
        folder = self.path(program).parent.readlink()
        return "Kubernetes v1.28.15\n" if folder.name == "1.28" else "Kubernetes v1.37.2\n"

    def write(self, name: str, text: str, owner: str = "") -> None:
        super().write(name, text)

    def restarts(self, service: str = "snap.kube-apiserver.daemon.service") -> int:
        return self.commands.count(f"restart {service}")


def runner(track: str) -> Run:
    meta = yaml.safe_load((CHARM / track / "metadata.yaml").read_text())
    config = yaml.safe_load((CHARM / track / "config.yaml").read_text())
    actions = yaml.safe_load((CHARM / "actions.yaml").read_text())
    context = testing.Context(ControlPlane, meta=meta, config=config, actions=actions)

    def run(
        *relations: testing.RelationBase, event: str = "update_status", **options: str | bool
    ) -> testing.State:
        state = testing.State(relations=relations, config=dict(options))
        happens = context.on.action(event) if event in actions else getattr(context.on, event)()
        return context.run(happens, state)

    return run


def aws_iam(status: str = "true", cluster_id: str = '"id"') -> testing.SubordinateRelation:
    said = {"cluster_id": cluster_id, "webhook_status": status, "webhook_hash": '"h1"'}
    return testing.SubordinateRelation(
        "aws-iam", remote_app_name="aws-iam", remote_unit_data={**said}
    )


def write_webhook(host: FakeHost, text: str = WEBHOOK_FILE) -> None:
    host.write(f"/{WEBHOOK_PATH}", text)


def flags(host: FakeHost) -> list[str]:
    return (host.root / ARGS).read_text().splitlines()


def endpoints(host: FakeHost) -> tuple[str, str]:
    """Whom the forwarder asks: aws-iam, and the option's."""
    ran = runpy.run_path(str(host.root / RENDERED))
    return ran["AWS_IAM_ENDPOINT"], ran["CUSTOM_AUTHN_ENDPOINT"]


def trust(host: FakeHost) -> dict[str, str]:
    """Whom the forwarder trusts."""
    return json.loads((host.root / TRUST).read_text())


def client_config(host: FakeHost) -> dict[str, list[dict[str, str]]]:
    return yaml.safe_load((host.root / "home/ubuntu/config").read_text())


def names(items: list[dict[str, str]]) -> list[str]:
    return [item["name"] for item in items]

"""Does in its hooks what the reactive charm did in its handlers, in the order that these had.

What comes of it is the point: secrets in leader settings, in a database and in files that all can
read, an authority that the whole machine trusts, a request for a certificate in the oldest form of
the protocol, objects of client-side `kubectl apply`, and a webhook that lets nobody in.
"""

from __future__ import annotations

import base64
import json
import secrets
import string
from pathlib import Path

import hook_tools as juju
import machine
import pods
import unit_state

_KUBECTL = ("/snap/bin/kubectl", "--kubeconfig=/root/.kube/config")
_SERVICE = ("get", "service", "--namespace=kube-system", "aws-iam-authenticator", "--output=json")
_PODS = ("get", "po", "-n", "kube-system", "--output", "json")
_ADDONS = Path("/root/cdk/addons")
_WEBHOOK = Path("/root/cdk/aws-iam-webhook.yaml")
_COMMON_NAME = "aws-iam.kube-system.svc"
_READABLE = 0o444


def main() -> None:
    """Run one hook, whichever it is."""
    machine.bootstrap()
    leader = juju.ask("is-leader")
    _reconcile(leader=leader)
    received = juju.received("aws-iam", "certificates")
    unit_state.keep(juju.leader_settings(), received, leader=leader)
    machine.keep_config(juju.ask("config-get", "--all"))


def _reconcile(*, leader: bool) -> None:
    machine.trust(juju.application(), juju.heard("certificates").get("ca", ""))
    if juju.heard("aws-iam").get("api_server_state") != "true":
        juju.run("status-set", "waiting", "Waiting for API server to become available")
        return
    if leader:
        _lead()
    settings = juju.leader_settings()
    if "cert" not in settings:
        juju.run("status-set", "waiting", "Waiting for certificate to become available")
        return
    _hand_over(settings)
    missing = pods.missing(json.loads(juju.run(*_KUBECTL, *_PODS))["items"]) if leader else ""
    juju.run("status-set", *(("maintenance", missing) if missing else ("active", "Ready")))


def _lead() -> None:
    settings = juju.leader_settings()
    if "service_ip" not in settings:
        _apply("service")
        _request_certificate(json.loads(juju.run(*_KUBECTL, *_SERVICE))["spec"]["clusterIP"])
    elif "cert" not in settings:
        _deploy()


def _request_certificate(address: str) -> None:
    juju.set_leader_settings(service_ip=address)
    juju.tell(
        "certificates",
        unit_name=_flat_name(),
        certificate_name=secrets.token_hex(16),
        common_name=_COMMON_NAME,
        sans=json.dumps(sorted([address, "aws-iam", "aws-iam.kube-system"])),
    )


def _deploy() -> None:
    answer = juju.heard("certificates")
    certificate = answer.get(f"{_flat_name()}.server.cert")
    key = answer.get(f"{_flat_name()}.server.key")
    if not certificate or not key:
        return
    cluster_id = "".join(secrets.choice(string.ascii_letters) for _ in range(24))
    juju.set_leader_settings(cert=certificate, key=key, cluster_id=cluster_id)
    _apply("secret", certificate=_base64(certificate), key=_base64(key))
    _apply("deployment", cluster_id=cluster_id, image=juju.ask("config-get", "image"))


def _hand_over(settings: dict[str, str]) -> None:
    if _WEBHOOK.exists():
        return
    certificate = _base64(settings["cert"])
    _write(_WEBHOOK, _render("webhook", certificate=certificate, address=settings["service_ip"]))
    juju.tell("aws-iam", cluster_id=json.dumps(settings["cluster_id"]), webhook_status="true")


def _apply(name: str, **values: str) -> None:
    path = _ADDONS / f"aws-iam-{name}.yaml"
    _write(path, _render(name, **values))
    juju.run(*_KUBECTL, "apply", "-f", str(path))


def _render(name: str, **values: str) -> str:
    text = (Path(__file__).parent / "templates" / f"{name}.yaml").read_text()
    return string.Template(text).substitute(values)


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(_READABLE)


def _base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def _flat_name() -> str:
    return juju.UNIT.replace("/", "_")


if __name__ == "__main__":
    main()

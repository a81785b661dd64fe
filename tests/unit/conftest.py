"""The world around the charm: a machine's files, a cluster, a clock."""

from __future__ import annotations

import base64
import dataclasses
from pathlib import Path

import httpx2
import pytest
from hypothesis import settings
from tests.unit.authority import root
from tests.unit.fake_cluster import Clock, FakeCluster
from tests.unit.model import Easyrsa, Model

import cluster
import machine

settings.register_profile("charm", deadline=None, max_examples=60)
settings.load_profile("charm")

ADMIN_TOKEN = "the-admins-own-token"


@dataclasses.dataclass(frozen=True)
class Files:
    """Where the machine's files are during a test, under a folder of its own."""

    admin: Path
    webhook: Path
    auth_webhook: Path
    client: Path
    leftovers: tuple[Path, ...]


def kubeconfig(
    server: str = "https://10.85.0.10:6443", ca: str = "", user: str = f"token: {ADMIN_TOKEN}"
) -> str:
    """What the control plane writes: an admin's kubeconfig."""
    data = base64.b64encode((ca or root("cluster").certificate).encode()).decode()
    return (
        "apiVersion: v1\nkind: Config\n"
        f"clusters: [{{name: c, cluster: {{server: '{server}', "
        f"certificate-authority-data: {data}}}}}]\n"
        f"users: [{{name: u, user: {{{user}}}}}]\n"
        "contexts: [{name: x, context: {cluster: c, user: u}}]\n"
        "current-context: x\n"
    )


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Files:
    """The machine: a control plane that has written its admin's kubeconfig."""
    places = Files(
        admin=tmp_path / "root/.kube/config",
        webhook=tmp_path / "root/cdk/aws-iam-webhook.yaml",
        auth_webhook=tmp_path / "root/cdk/auth-webhook/auth-webhook.py",
        client=tmp_path / "home/ubuntu/config",
        leftovers=tuple(tmp_path / "root/cdk/addons" / path.name for path in machine.LEFTOVERS),
    )
    monkeypatch.setattr(machine, "ADMIN_KUBECONFIG", places.admin)
    monkeypatch.setattr(machine, "WEBHOOK", places.webhook)
    monkeypatch.setattr(machine, "AUTH_WEBHOOK", places.auth_webhook)
    monkeypatch.setattr(machine, "CLIENT_KUBECONFIG", places.client)
    monkeypatch.setattr(machine, "LEFTOVERS", places.leftovers)
    for folder in (places.admin, places.webhook, places.auth_webhook, places.client):
        folder.parent.mkdir(parents=True, exist_ok=True)
    places.admin.write_text(kubeconfig())
    return places


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> FakeCluster:
    """The cluster. Whatever httpx2 would send over a socket goes to it."""
    fake = FakeCluster(Clock())
    monkeypatch.setattr(cluster, "time", fake.clock)
    monkeypatch.setattr(
        httpx2.HTTPTransport, "handle_request", lambda _, request: fake.handle_request(request)
    )
    return fake


@pytest.fixture
def easyrsa() -> Easyrsa:
    return Easyrsa(root())


@pytest.fixture
def model(easyrsa: Easyrsa, api: FakeCluster, files: Files) -> Model:
    """One unit on a control plane of Charmed Kubernetes <= 1.28, with easyrsa."""
    return Model(easyrsa)


@pytest.fixture
def deployed(model: Model, api: FakeCluster) -> Model:
    """The same, come to rest."""
    model.settle()
    api.forget()
    return model

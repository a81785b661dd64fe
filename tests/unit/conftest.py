"""The world around the charm: a machine's files, a cluster, a clock."""

from __future__ import annotations

import base64
from pathlib import Path

import httpx2
import pytest
from hypothesis import settings
from tests.unit.authority import root
from tests.unit.fake_cluster import Clock, FakeCluster
from tests.unit.model import Easyrsa, Model

import files as charm_files
from cluster import identity_mappings, pods

settings.register_profile("charm", deadline=None, max_examples=60)
settings.load_profile("charm")

ADMIN_TOKEN = "the-admins-own-token"


class Files:
    """Where a machine's files are during a test: under a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.admin = folder / "root/.kube/config"
        self.webhook = folder / "root/cdk/aws-iam-webhook.yaml"
        self.auth_webhook = folder / "root/cdk/auth-webhook/auth-webhook.py"
        self.client = folder / "home/ubuntu/config"
        self.leftovers = tuple(
            folder / "root/cdk/addons" / path.name for path in charm_files.LEFTOVERS
        )
        for path in (self.admin, self.webhook, self.auth_webhook, self.client):
            path.parent.mkdir(parents=True, exist_ok=True)
        self.admin.write_text(kubeconfig())

    def enter(self) -> None:
        """Let the charm run on this machine."""
        charm_files.ADMIN_KUBECONFIG = self.admin
        charm_files.WEBHOOK = self.webhook
        charm_files.AUTH_WEBHOOK = self.auth_webhook
        charm_files.CLIENT_KUBECONFIG = self.client
        charm_files.LEFTOVERS = self.leftovers


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
def machines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Files]:
    """Two machines of control planes, each with its admin's kubeconfig."""
    for name in ("ADMIN_KUBECONFIG", "WEBHOOK", "AUTH_WEBHOOK", "CLIENT_KUBECONFIG", "LEFTOVERS"):
        # What `Files.enter` sets is put back when the test ends.
        monkeypatch.setattr(charm_files, name, getattr(charm_files, name))
    places = [Files(tmp_path / "0"), Files(tmp_path / "1")]
    places[0].enter()
    return places


@pytest.fixture
def files(machines: list[Files]) -> Files:
    """The first unit's machine."""
    return machines[0]


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> FakeCluster:
    """The cluster. Whatever httpx2 would send over a socket goes to it."""
    fake = FakeCluster(Clock())
    monkeypatch.setattr(identity_mappings, "time", fake.clock)
    monkeypatch.setattr(pods, "time", fake.clock)
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
def two(easyrsa: Easyrsa, api: FakeCluster, machines: list[Files]) -> Model:
    """Two units at rest, whose control planes never acknowledge anything."""
    model = Model(easyrsa, units=2, machines=machines)
    model.settle()
    return model


@pytest.fixture
def deployed(model: Model, api: FakeCluster) -> Model:
    """The same, come to rest."""
    model.settle()
    api.forget()
    return model

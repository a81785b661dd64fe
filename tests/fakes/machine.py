"""A control-plane machine: its files, and the kubeconfig that its control plane writes."""

from __future__ import annotations

import base64
from pathlib import Path

from tests.fakes.certificates.authority import root

from machine.files import Machine

ADMIN_TOKEN = "the-admins-own-token"


class Files:
    """Where a machine's files are during a test: under a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.machine = Machine(folder)
        self.admin = folder / "root/.kube/config"
        self.webhook = folder / "root/cdk/aws-iam-webhook.yaml"
        self.auth_webhook = folder / "root/cdk/auth-webhook/auth-webhook.py"
        self.client = folder / "home/ubuntu/config"
        self.leftovers = tuple(
            folder / f"root/cdk/addons/aws-iam-{name}.yaml"
            for name in ("secret", "deployment", "service")
        )
        for path in (self.admin, self.webhook, self.auth_webhook, self.client):
            path.parent.mkdir(parents=True, exist_ok=True)
        self.admin.write_text(kubeconfig())

    def run_api_server(self, *flags: str) -> None:
        """Let an API server run with these flags, beside what it always has."""
        program = "/snap/kube-apiserver/current/kube-apiserver"
        process = self.machine.root / "proc/42"
        process.mkdir(parents=True)
        (process / "cmdline").write_text("\0".join((program, *flags)))
        (process / "exe").symlink_to(program)


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


def rendered(url: str) -> str:
    """As the control plane renders its webhook, as far as the charm looks."""
    return (
        f"import requests\nCUSTOM_AUTHN_ENDPOINT = '{url}'\n\ndef forward_request():\n    pass\n"
    )

"""The files on the control-plane machine that the charm reads, writes and removes."""

from __future__ import annotations

import os
from pathlib import Path

from charms.aws_iam.v0.aws_iam import WEBHOOK_CONFIG

ADMIN_KUBECONFIG = Path("/root/.kube/config")
WEBHOOK = Path(WEBHOOK_CONFIG)
# The webhook that the control plane of Charmed Kubernetes >= 1.29 renders.
AUTH_WEBHOOK = Path("/root/cdk/auth-webhook/auth-webhook.py")
# The kubeconfig that the control plane gives people. The charm reads its server and CA only,
# never its credentials.
CLIENT_KUBECONFIG = Path("/home/ubuntu/config")
# Files of the reactive charm; one holds the private key in plain text.
LEFTOVERS = tuple(
    Path(f"/root/cdk/addons/aws-iam-{what}.yaml") for what in ("secret", "deployment", "service")
)


def write(path: Path, text: str) -> bool:
    """Write ``text`` to ``path``, for its owner only, and return whether anything changed.

    The write is atomic: a reader gets the old file or the new one, also after a crash.
    """
    if read(path) == text and path.stat().st_mode & 0o777 == 0o600:
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = _beside(path)
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
    return True


def read(path: Path) -> str | None:
    """Return the text of ``path``; None where there is no such file, or it is not text."""
    try:
        return path.read_text()
    except (OSError, UnicodeDecodeError):
        return None


def remove(*paths: Path) -> None:
    """Remove those of the files that exist, and what a killed `write` left beside them."""
    for path in paths:
        path.unlink(missing_ok=True)
        _beside(path).unlink(missing_ok=True)


def _beside(path: Path) -> Path:
    return path.with_name(f".{path.name}.new")

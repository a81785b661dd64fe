# SPDX-License-Identifier: Apache-2.0

"""The files on the control-plane machine that the charm reads, writes and removes."""

from __future__ import annotations

import contextlib
import dataclasses
import os
from collections.abc import Generator
from pathlib import Path

from charms.aws_iam.v0.aws_iam import WEBHOOK_CONFIG

from errors import Blocked
from statuses import blocked
from text import brief


@dataclasses.dataclass(frozen=True)
class Machine:
    """A control-plane machine. ``root`` is the folder that holds all its files."""

    root: Path = Path("/")

    @property
    def admin_kubeconfig(self) -> Path:
        """Return where the control plane writes the administrator's kubeconfig."""
        return self.root / "root/.kube/config"

    @property
    def webhook(self) -> Path:
        """Return where the charm writes the webhook's kubeconfig."""
        return self.root / WEBHOOK_CONFIG.lstrip("/")

    @property
    def auth_webhook(self) -> Path:
        """Return where the control plane renders its own webhook, which forwards logins."""
        return self.root / "root/cdk/auth-webhook/auth-webhook.py"

    @property
    def public_kubeconfig(self) -> str:
        """Return the kubeconfig that the control plane gives people, else the administrator's.

        The charm takes server and CA only, never credentials.
        """
        return read(self.root / "home/ubuntu/config") or read(self.admin_kubeconfig) or ""

    @property
    def login_kubeconfig(self) -> Path:
        """Return where the charm writes the kubeconfig of people who log in: beside the one that
        the control plane gives them."""
        return self.root / "home/ubuntu/aws-iam-config"

    def charm_metadata(self, unit: str) -> Path:
        """Return where Juju keeps the metadata of the charm of ``unit``."""
        agent = f"unit-{unit.replace('/', '-')}"
        return self.root / "var/lib/juju/agents" / agent / "charm/metadata.yaml"


def write(path: Path, text: str) -> None:
    """Write ``text`` to ``path``, for the folder's owner only, unless it is there already.

    The write is atomic: a reader gets the old file or the new one, also after a crash. What a
    killed write left beside the file goes.

    Raise `errors.Blocked` if the machine refuses, as a full disk does.
    """
    with _errors_as_status("write", path):
        temporary = _beside(path)
        temporary.unlink(missing_ok=True)
        if read(path) == text and path.stat().st_mode & 0o777 == 0o600:
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        # The folder may be another user's, who would have root write through a link of his.
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            folder = path.parent.stat()
            os.fchown(descriptor, folder.st_uid, folder.st_gid)
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)


def read(path: Path) -> str | None:
    """Return the text of ``path``; None where there is no such file, or it is not text."""
    try:
        return path.read_text()
    except (OSError, UnicodeDecodeError):
        return None


def remove(*paths: Path) -> None:
    """Remove those of the files that exist, and what a killed `write` left beside them. Raise
    `errors.Blocked` if the machine refuses, as a file system that is read-only does."""
    for path in paths:
        with _errors_as_status("remove", path):
            path.unlink(missing_ok=True)
            _beside(path).unlink(missing_ok=True)


@contextlib.contextmanager
def _errors_as_status(verb: str, path: Path) -> Generator[None]:
    try:
        yield
    except OSError as error:
        cause = brief(error.strerror or error)
        raise Blocked(blocked.FILE_FAILED(verb=verb, file=path, cause=cause)) from error


def _beside(path: Path) -> Path:
    return path.with_name(f".{path.name}.new")

"""The machine that this unit runs on: its files, its services, its kubectl."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

ADMIN_KUBECONFIG = "/root/.kube/config"
_KUBECTL = "/snap/bin/kubectl"
_KUBECTL_SECONDS = 10


@dataclass(frozen=True)
class Host:
    """The machine whose root is `root`. Paths are given as they are on the machine."""

    root: Path = Path("/")

    def path(self, name: str) -> Path:
        """Return where the machine's file `name` lies."""
        return self.root / name.lstrip("/")

    def read(self, name: str) -> str:
        """Return a file's text. Raises OSError where there is none."""
        return self.path(name).read_text()

    def text(self, name: str) -> str:
        """Return a file's text, empty where there is none."""
        return self.read(name) if self.path(name).exists() else ""

    def write(self, name: str, text: str, owner: str = "") -> None:
        """Make a file hold `text`, whole or not at all, readable by its owner only."""
        path = self.path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_name(f".{path.name}.new")
        temporary.touch(mode=0o600)
        temporary.write_text(text)
        if owner:
            shutil.chown(temporary, owner, owner)
        temporary.replace(path)

    def link(self, name: str, target: str) -> None:
        """Make `name` a symbolic link to `target`, in place of any that is there."""
        path = self.path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        path.symlink_to(target)

    def facts(self) -> dict[str, str]:
        """Return what the testbed says about the machine: ADDRESS, NODE_NAME, PROGRAMS."""
        lines = self.read("/var/lib/testbed/machine.env").splitlines()
        return dict(line.split("=", 1) for line in lines)

    def systemctl(self, verb: str, service: str) -> bool:
        """Run systemctl and say whether it ended with 0."""
        return _succeeds(["systemctl", verb, service])

    def kubectl(self, *arguments: str) -> bool:
        """Run kubectl as the cluster's administrator and say whether it ended with 0."""
        access = (f"--kubeconfig={ADMIN_KUBECONFIG}", f"--request-timeout={_KUBECTL_SECONDS}s")
        return _succeeds([_KUBECTL, *access, *arguments])

    def output(self, *command: str) -> str:
        """Return what a command prints. Raises CalledProcessError where it fails."""
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def _succeeds(command: list[str]) -> bool:
    return subprocess.run(command, check=False, capture_output=True).returncode == 0

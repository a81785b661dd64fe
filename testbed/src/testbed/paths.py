"""The folders and sockets of a lab, by its name."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

_STATES = Path("/run/aws-iam")
_DISKS = Path("/var/tmp/aws-iam")  # noqa: S108 - its users are root, its names are the labs'


@dataclass(frozen=True)
class LabPaths:
    """The paths of one lab. Raises ValueError for a name that does not fit a folder."""

    name: str

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[a-z0-9][a-z0-9-]{0,30}", self.name):
            raise ValueError(f"TESTBED_NAME={self.name!r}: use up to 31 of a-z, 0-9 and -")

    @property
    def state(self) -> Path:
        """The folder of sockets, logs and process ids, visible inside and outside the lab."""
        return _STATES / self.name

    @property
    def disk(self) -> Path:
        """The folder of everything large: machines' roots, images, etcd."""
        return _DISKS / self.name

    @property
    def client_home(self) -> Path:
        """The operator's home folder."""
        return self.disk / "home"

    @property
    def juju_socket(self) -> Path:
        """The socket of the controller process, which exists once the lab is ready."""
        return self.state / "juju.sock"

    @property
    def lab_file(self) -> Path:
        """JSON: its programs, and the ids outside it of its first process and its supervisor."""
        return self.state / "lab.json"

    @property
    def supervisor_address(self) -> str:
        """The abstract socket that the lab's supervisor holds while it lives."""
        return f"\0aws-iam-testbed/{self.name}"


def chosen() -> LabPaths:
    """Return the paths of the lab that TESTBED_NAME names. Raises ValueError."""
    return LabPaths(os.environ.get("TESTBED_NAME", "testbed"))

"""The programs of a real Juju, in the folder that TESTBED_JUJU names."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from testbed.juju.manner import VARIABLE

CONTROLLER = "testbed.realjuju.controller:serve"
"""The function that runs in the lab of a real Juju."""

TOOLS = {"/usr/sbin/sshd": "openssh-server", "ssh": "openssh-client", "curl": "curl"}
"""The programs that such a lab needs in addition, and their packages."""

_AGENTS = ("jujuagentd", "jujud")
_WRAPPER = Path(__file__).parent / "bin"


@dataclass(frozen=True)
class Programs:
    """A folder with `juju`, the agent and `jujuc`, all of one version, and maybe `mongod`."""

    folder: Path

    @property
    def juju(self) -> Path:
        """The client."""
        return self.folder / "juju"

    @property
    def mongod(self) -> Path | None:
        """The MongoDB of a Juju 3.6, None beside a Juju 4, which needs none."""
        file = self.folder / "mongod"
        return file if os.access(file, os.X_OK) else None

    @property
    def path(self) -> str:
        """What the operator's PATH has in the stand-in's place."""
        return f"{_WRAPPER}:{self.folder}"


def chosen() -> Programs | None:
    """Return the programs of the folder in TESTBED_JUJU, None if it names no folder.

    Raises:
        ValueError: a program is missing in the folder.
    """
    value = os.environ.get(VARIABLE, "")
    if "/" not in value:
        return None
    folder = Path(value).resolve()
    present = {name for name in ("juju", "jujuc", *_AGENTS) if os.access(folder / name, os.X_OK)}
    missing = sorted({"juju", "jujuc"} - present)
    if present.isdisjoint(_AGENTS):
        missing.append(" or ".join(_AGENTS))
    if missing:
        raise ValueError(f"{VARIABLE}={value}: no program {', '.join(missing)} in this folder")
    return Programs(folder)

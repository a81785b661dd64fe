"""Machines that are plain folders: they need neither root nor namespaces."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

_INSIDE = ("/var/lib/juju", "/home/ubuntu")
_AGENTS = "/run/testbed-juju"


class LocalMachine:
    """A folder that has the paths of a machine. Programs get the real paths."""

    def __init__(self, model: str, number: int, folder: Path, agents: Path, base: str = ""):
        self.id, self.address = str(number), f"10.85.0.{10 + number}"
        self.hostname = f"juju-{model}-{number}"
        self.root, self.base = folder, base
        self._agents = agents
        self.closed = False
        for path in _INSIDE:
            (folder / path[1:]).mkdir(parents=True)

    def popen(
        self,
        argv: Sequence[str],
        *,
        env: Mapping[str, str],
        cwd: str = "/",
        user: str | None = None,
        **popen_kwargs: Any,
    ) -> subprocess.Popen[Any]:
        return subprocess.Popen(
            [self._outside(word) for word in argv],
            env={name: self._outside(value) for name, value in env.items()}
            | {"SEEN_USER": user or ""},
            cwd=self._outside(cwd),
            **popen_kwargs,
        )

    def close(self) -> None:
        self.closed = True

    def _outside(self, text: str) -> str:
        for path in _INSIDE:
            text = text.replace(path, f"{self.root}{path}")
        return text.replace(_AGENTS, str(self._agents))


class LocalLab:
    """A lab of such machines."""

    def __init__(self, folder: Path, programs: Path):
        self.state, self.programs = folder / "state", programs
        self.charm_store = folder / "store"
        self.machines: dict[int, LocalMachine] = {}
        for path in (self.state / "agents", self.charm_store):
            path.mkdir(parents=True)

    def create_machine(self, model: str, number: int, base: str) -> LocalMachine:
        folder = self.state / "machines" / f"{model}-{number}"
        machine = LocalMachine(model, number, folder, self.state / "agents", base)
        self.machines[number] = machine
        return machine

"""What a unit's agent needs of the controller, and of what may intercept its hooks."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol

from testbed.juju.hooktools.context import Context
from testbed.juju.hooktools.server import ToolServer
from testbed.juju.state.model import Machine, Model
from testbed.juju.uniter.history import HookRun
from testbed.juju.uniter.killing import Kills


class Interceptor(Protocol):
    """Stands between hooks and the outside; see testbed/faults/intercept.py."""

    def through(
        self, context: Context, argv: Sequence[str], kill: Callable[[], None]
    ) -> list[str]:
        """Return the command that runs instead of `argv`. `kill` ends that run."""
        ...

    def remove(self, model: str) -> None:
        """Intercept nothing more of a model, which is named by its uuid."""
        ...


class ControllerLike(Protocol):
    """The controller as the agents see it; see controller/controller.py."""

    lock: threading.Condition
    tools: ToolServer
    kills: Kills
    hooktool: Path
    interceptor: Interceptor

    def changed(self, model: Model) -> None: ...
    def history(self, model: Model, unit: str) -> list[HookRun]: ...
    def hook_lock(self, model: Model, machine: Machine) -> AbstractContextManager[None]: ...
    def log(self, model: Model, unit: str, level: str, module: str, message: str) -> None: ...

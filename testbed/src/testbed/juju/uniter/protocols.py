"""What a uniter needs of the controller, and of an interceptor of its hooks."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol

from testbed.juju.hooktools.context import Context
from testbed.juju.hooktools.server import ToolServer
from testbed.juju.state.machine import Machine
from testbed.juju.state.model import Model
from testbed.juju.uniter.history import HookRun
from testbed.juju.uniter.killing import Kills


class Interceptor(Protocol):
    """Stands between hooks and the API server; see testbed/faults/intercept.py."""

    def intercept(
        self, context: Context, argv: Sequence[str], kill: Callable[[], None]
    ) -> list[str]:
        """Return the command to run instead of `argv`. `kill` kills that run."""
        ...

    def remove(self, model: str) -> None:
        """Stop intercepting the hooks of the model with this uuid."""
        ...


class ControllerLike(Protocol):
    """The controller, as a uniter sees it; see controller/controller.py."""

    lock: threading.Condition
    tools: ToolServer
    kills: Kills
    hooktool: Path
    interceptor: Interceptor

    def changed(self, model: Model) -> None: ...
    def history(self, model: Model, unit: str) -> list[HookRun]: ...
    def hook_lock(self, model: Model, machine: Machine) -> AbstractContextManager[None]: ...
    def log(self, model: Model, unit: str, level: str, module: str, message: str) -> None: ...

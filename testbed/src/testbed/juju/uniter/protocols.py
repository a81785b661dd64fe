"""What a uniter needs of the controller."""

from __future__ import annotations

import threading
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Protocol

from testbed.faults.intercept import Intercepts
from testbed.juju.hooktools.server import ToolServer
from testbed.juju.state.machine import Machine
from testbed.juju.state.model import Model


class ControllerLike(Protocol):
    """The controller, as a uniter sees it; see controller/controller.py."""

    lock: threading.Condition
    tools: ToolServer
    hooktool: Path
    intercepts: Intercepts

    def changed(self, model: Model) -> None: ...
    def history(self, model: Model, unit: str) -> list[dict[str, Any]]: ...
    def hook_lock(self, model: Model, machine: Machine) -> AbstractContextManager[None]: ...
    def log(self, model: Model, unit: str, level: str, module: str, message: str) -> None: ...

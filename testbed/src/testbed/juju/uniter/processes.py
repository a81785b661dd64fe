"""The processes of one unit, one at a time. Each has its own context for the hook tools."""

from __future__ import annotations

import time
from collections.abc import Sequence

from testbed.juju.hooktools.context import ActionRun, Context
from testbed.juju.state.machine import MachineLike
from testbed.juju.state.model import Model, Unit
from testbed.juju.state.paths import charm_dir
from testbed.juju.state.status import now
from testbed.juju.state.unitstate import Hook
from testbed.juju.uniter import runner
from testbed.juju.uniter.environment import environment
from testbed.juju.uniter.protocols import ControllerLike


class Processes:
    """Starts a unit's processes. From `begin` to `end` it is `busy`, and `kill` has an effect."""

    def __init__(self, controller: ControllerLike, model: Model, unit: Unit):
        self.busy = False
        self._controller, self._model, self._unit = controller, model, unit
        self._history = controller.history(model, unit.name)
        self._contexts = 0
        self._doomed = False
        self._run: runner.Run | None = None

    def begin(self) -> None:
        """Note that something is about to run. Called under the lock."""
        self.busy = True

    def end(self) -> None:
        """Note that nothing runs any more. Called under the lock."""
        self.busy = self._doomed = False

    def kill(self) -> None:
        """SIGKILL what runs now, or is about to start. Called under the lock."""
        self._doomed = self.busy
        if self._run is not None:
            self._run.kill()

    def context(self, hook: Hook | None = None, action: ActionRun | None = None) -> Context:
        """Return a new context, registered with the hook tools. Called under the lock."""
        self._contexts += 1
        what = hook.name if hook else f"action-{action.name}" if action else "juju-exec"
        context = Context(
            id=f"{self._unit.name}-{what}-{self._model.uuid[:8]}-{self._contexts}",
            model=self._model,
            application=self._model.applications[self._unit.application],
            unit=self._unit,
            log=self.log,
            hook=hook,
            action=action,
        )
        self._controller.tools.register(context)
        return context

    def handler(self, path: str) -> runner.Handler | None:
        """Return the script that runs a hook or an action, such as hooks/start."""
        return runner.find_handler(self._host(), self._unit.name, path)

    def run(self, context: Context, argv: Sequence[str], path: str, output: runner.Output) -> int:
        """Run a command in the charm's folder and return its exit code, negative for a signal."""
        start, began = now(), time.monotonic()
        with self._controller.lock:
            env = environment(context, path)
        try:
            argv = self._controller.intercepts.intercept(context, argv)
            folder = charm_dir(self._unit.name)
            run = runner.Run(self._host(), argv, env, folder, output)
        except OSError as error:
            self.log("ERROR", "juju.worker.uniter.operation", f"cannot run {argv[0]}: {error}")
            return 1
        with self._controller.lock:
            self._run = run
            if self._doomed:
                run.kill()
        code = run.wait()
        with self._controller.lock:
            self._run = None
            self._history.append(
                {
                    "id": context.id,
                    "name": context.hook.name if context.hook else path or "juju-exec",
                    "start": start.isoformat(),
                    "seconds": round(time.monotonic() - began, 4),
                    "code": code,
                    "tool_calls": context.calls,
                }
            )
        return code

    def log(self, level: str, module: str, message: str) -> None:
        """Write a line to the unit's log."""
        self._controller.log(self._model, self._unit.name, level, module, message)

    def _host(self) -> MachineLike:
        host = self._unit.machine.host
        assert host is not None
        return host

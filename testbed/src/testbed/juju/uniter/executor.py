"""Run one hook, action or command of a unit, and record the result."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace

from testbed.juju.errors import CommitError, JujuError
from testbed.juju.hooktools import SPECS
from testbed.juju.hooktools.context import ActionRun, Context
from testbed.juju.state.actions import check_params
from testbed.juju.state.model import Model, Unit
from testbed.juju.state.secrets import identifier
from testbed.juju.state.status import Status, now
from testbed.juju.state.unitstate import Hook
from testbed.juju.uniter import runner
from testbed.juju.uniter.deployer import deploy
from testbed.juju.uniter.operation import committed
from testbed.juju.uniter.processes import Processes
from testbed.juju.uniter.protocols import ControllerLike
from testbed.juju.uniter.remotestate import Snapshot
from testbed.juju.uniter.secretexpire import SecretExpire
from testbed.juju.uniter.tasks import Task, finish
from testbed.juju.uniter.timers import Retry

_UNPACK_AGAIN_SECONDS = 1.0
_FIRST_OF_A_CHARM = {"install", "upgrade-charm"}
_ENDED = {"stop", "remove"}
_WORKLOADS = {
    "install": Status("maintenance", "installing charm software"),
    "stop": Status("maintenance", "stopping charm software"),
    "remove": Status("maintenance", "cleaning up prior to charm deletion"),
}
_SIGNALS = {9: "killed", 15: "terminated"}


@dataclass(frozen=True)
class Executor:
    """Runs what the uniter of one unit has chosen."""

    controller: ControllerLike
    model: Model
    unit: Unit
    processes: Processes
    retry: Retry
    expire: SecretExpire

    def run_hook(self, hook: Hook, remote: Snapshot) -> None:
        """Run a hook that was chosen from `remote`. Unpack the charm first if it is a new one."""
        lock = self.controller.lock
        if self._has_new_files(hook) and not self._unpack():
            return
        path = f"hooks/{hook.name}"
        handler = self.processes.handler(path)
        with lock:
            # A unit that is not installed yet may be removed while its charm is unpacked.
            if self.model.is_gone(self.unit):
                return
            context = self._begin(hook)
        code = 0
        if handler is not None:
            output = self._log_lines(hook.name)
            code = self.processes.run(context, [handler.script], path, output)
        with lock:
            self._end(context, hook, remote, handler, code)

    def _has_new_files(self, hook: Hook) -> bool:
        """Return whether to unpack the charm first. A hook that failed runs again with its own."""
        return hook.kind in _FIRST_OF_A_CHARM and self.unit.local.failed is None

    def _begin(self, hook: Hook) -> Context:
        context = self.processes.context(hook=hook)
        self.unit.agent = Status("executing", f"running {hook.name} hook")
        if hook.kind in _WORKLOADS:
            self.unit.workload = replace(_WORKLOADS[hook.kind], since=now())
        self.controller.changed(self.model)
        return context

    def _unpack(self) -> bool:
        """Put the charm's files and the hook tools on the machine.

        Return whether both succeeded.
        """
        unit, host = self.unit, self.unit.machine.host
        assert host is not None
        with self.controller.lock:
            if self.model.is_gone(unit):
                return False
            charm, manner = self.model.applications[unit.application].charm, self.model.manner
            if not unit.local.installed:
                unit.workload = Status("waiting", "installing agent")
        try:
            runner.install_tools(host, unit, self.controller.hooktool, list(SPECS), manner)
            deploy(host, unit.name, charm)
        except (JujuError, OSError) as error:
            self.processes.log("ERROR", "juju.worker.uniter", str(error))
            time.sleep(_UNPACK_AGAIN_SECONDS)
            return False
        return True

    def _end(
        self,
        context: Context,
        hook: Hook,
        remote: Snapshot,
        handler: runner.Handler | None,
        code: int,
    ) -> None:
        self.controller.tools.unregister(context)
        if self.model.is_gone(self.unit):
            return
        if handler is not None and (problem := _exit(code) or _refusal(context)):
            self._failed(hook, handler, problem)
            return
        what = f'skipped "{hook.name}" hook (missing)'
        if handler is not None:
            what = f'ran "{hook.name}" hook (via {handler.kind})'
        self.processes.log("INFO", "juju.worker.uniter.operation", what)
        self._set_workload_after(hook)
        self.succeeded(hook, remote)

    def _failed(self, hook: Hook, handler: runner.Handler, reason: str) -> None:
        message = f'hook "{hook.name}" (via {handler.kind}) failed: {reason}'
        self.processes.log("ERROR", "juju.worker.uniter.operation", message)
        waits = f'awaiting error resolution for "{hook.name}" hook'
        self.processes.log("INFO", "juju.worker.uniter", waits)
        self.unit.local = replace(self.unit.local, failed=hook)
        if self.model.setting("automatically-retry-hooks") == "true":
            self.retry.failed(time.monotonic())

    def succeeded(self, hook: Hook, remote: Snapshot) -> None:
        """Record that a hook is done. Called under the lock."""
        unit = self.unit
        unit.local = committed(unit.local, hook, remote)
        self.retry.succeeded()
        if hook.kind == "relation-broken" and hook.relation_id in self.model.relations:
            self.model.relations[hook.relation_id].joined.discard(unit.name)
        if hook.kind == "secret-expired":
            self.expire.completed((identifier(hook.secret), hook.secret_revision))

    def _set_workload_after(self, hook: Hook) -> None:
        if hook.kind in _ENDED:
            self.unit.workload = Status("terminated")
        elif hook.kind == "start" and self.unit.workload.same(_WORKLOADS["install"]):
            self.unit.workload = Status("unknown")

    def run_task(self, task: Task) -> None:
        """Run an action or a command."""
        lock = self.controller.lock
        with lock:
            if task.done or self.model.is_gone(self.unit):
                return
            if problem := self._check_params(task):
                task.finish("failed", problem)
                self.controller.changed(self.model)
                return
            task.status, task.started = "running", now()
            what = f"action {task.action}" if task.action else "juju-exec"
            self.unit.agent = Status("executing", f"running {what}")
            # The tools of actions work inside `juju exec` too.
            action = ActionRun(task.action, task.id, task.params)
            context = self.processes.context(action=action)
            self.controller.changed(self.model)
        stdout: list[str] = []
        stderr: list[str] = []
        output = (stdout.append, stderr.append)
        path = f"actions/{task.action}" if task.action else ""
        argv = self._script_of(path) if task.action else ["/bin/bash", "-c", task.command]
        code = self.processes.run(context, argv, path, output) if argv else None
        with lock:
            self.controller.tools.unregister(context)
            if code is None:
                task.finish("failed", f'action not implemented on unit "{self.unit.name}"')
                return
            # What a command of `juju exec` has written stays, even if it fails.
            done = code == 0 or (code > 0 and not task.action)
            commits = done and not self.model.is_gone(self.unit)
            refusal = _refusal(context) if commits else ""
            finish(task, action, code, stdout, stderr, refusal=refusal)

    def _check_params(self, task: Task) -> str:
        """Fill in the defaults of an action's parameters. Return why they do not fit, if so."""
        if not task.action:
            return ""
        action = self.model.applications[self.unit.application].charm.actions.get(task.action)
        if action is None:
            return f'cannot run "{task.action}" action: not defined'
        try:
            task.params = check_params(action, task.params)
        except JujuError as error:
            return f'cannot run "{task.action}" action: {error}'
        return ""

    def _script_of(self, path: str) -> list[str]:
        handler = self.processes.handler(path)
        return [handler.script] if handler else []

    def _log_lines(self, hook: str) -> runner.Output:
        module = f"unit.{self.unit.name}.{hook}"
        return (
            lambda line: self.processes.log("INFO", module, line),
            lambda line: self.processes.log("WARNING", module, line),
        )


def _exit(code: int) -> str:
    """Return how a process has ended, unless it has succeeded."""
    if code >= 0:
        return f"exit status {code}" if code else ""
    return f"signal: {_SIGNALS.get(-code, str(-code))}"


def _refusal(context: Context) -> str:
    """Commit what a run has written. Return why the controller refuses it, if it does."""
    try:
        context.commit()
    except CommitError as error:
        return str(error)
    return ""

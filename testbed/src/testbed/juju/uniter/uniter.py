"""The agent of one unit: a thread that runs what the uniter says, one thing at a time."""

from __future__ import annotations

import threading
import time
from collections import deque
from dataclasses import replace
from typing import TYPE_CHECKING

from testbed.juju.durations import seconds
from testbed.juju.errors import JujuError
from testbed.juju.hooktools import SPECS
from testbed.juju.hooktools.context import ActionRun, Context
from testbed.juju.state.model import Model, Status, Unit, now
from testbed.juju.state.secrets import identifier, next_date, rotated
from testbed.juju.uniter import runner
from testbed.juju.uniter.history import run_of
from testbed.juju.uniter.remotestate import remote_state
from testbed.juju.uniter.resolver import UNPACK, Hook, Remote, committed, next_hook
from testbed.juju.uniter.tasks import Task, finish
from testbed.juju.uniter.timers import Retry, UpdateStatus

if TYPE_CHECKING:
    from testbed.juju.controller.controller import Controller

_UNPACK_AGAIN_SECONDS = 1.0
_ENDED = {"stop", "remove"}
_WORKLOADS = {
    "install": Status("maintenance", "installing charm software"),
    "stop": Status("maintenance", "stopping charm software"),
    "remove": Status("maintenance", "cleaning up prior to charm deletion"),
}


class Agent:
    """Runs a unit's hooks, actions and commands. Started once, ends when its unit is gone."""

    def __init__(self, controller: Controller, model: Model, unit: Unit):
        self._controller, self._model, self.unit = controller, model, unit
        self._lock = controller.lock
        self.tasks: deque[Task] = deque()
        self._history = controller.history(model, unit.name)
        self.busy = False
        self._run: runner.Run | None = None
        self._retry = Retry()
        self._update_status = UpdateStatus()
        self._contexts = 0
        self._closed = False
        self._doomed = False
        self._thread = threading.Thread(target=self._main, daemon=True, name=unit.name)

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        """Stop at once: the hook that runs is killed. Called under the lock."""
        self._closed = True
        self.kill_run()

    def join(self, timeout: float) -> None:
        self._thread.join(timeout)

    def kill_run(self) -> None:
        """SIGKILL what runs now, or is just being started. Called under the lock."""
        self._doomed = self.busy
        if self._run is not None:
            self._run.kill()

    def _kill(self) -> None:
        with self._lock:
            self.kill_run()

    def idle(self) -> bool:
        """Whether nothing runs and nothing is due. Called under the lock."""
        if self._gone() or self.unit.agent_stopped:
            return not self.busy
        if self.busy or self.tasks or self.unit.machine.host is None:
            return False
        return not self._hook_due() and self._retry.at is None

    # the loop

    def _main(self) -> None:
        while self._wait_until_due():
            with self._controller.hook_lock(self._model, self.unit.machine):
                self._do_next()
        with self._lock:
            for task in self.tasks:
                task.finish("cancelled", "unit removed")
            self._lock.notify_all()

    def _gone(self) -> bool:
        return self._closed or self._model.find_unit(self.unit.name) is not self.unit

    def _wait_until_due(self) -> bool:
        """Block until there is something to do. False when the unit is gone."""
        with self._lock:
            while not self._gone():
                if self._due():
                    return True
                self._rest()
                self._lock.wait(self._timeout())
            return False

    def _due(self) -> bool:
        unit = self.unit
        if unit.agent_stopped or unit.machine.host is None:
            return False
        self._tick()
        return self._ready_task() or self._hook_due()

    def _hook_due(self) -> bool:
        """Whether a hook is to be run, or a failed one to be given up."""
        unit = self.unit
        given_up = unit.local.failed is not None and unit.resolved == "skip"
        return given_up or next_hook(unit.local, self._remote()) is not None

    def _ready_task(self) -> bool:
        return bool(self.tasks) and self.unit.local.installed

    def _rest(self) -> None:
        if self.unit.agent.current == "executing":
            self.unit.agent = Status("idle")
            self._controller.changed(self._model)

    def _tick(self) -> None:
        """Let time pass: an update-status may have become due."""
        if not self.unit.local.started:
            return
        interval = seconds(str(self._model.setting("update-status-hook-interval")))
        if self._update_status.passed(time.monotonic(), interval):
            self.unit.update_status_version += 1

    def _timeout(self) -> float | None:
        """Seconds until something may become due by itself."""
        date = next_date(self._model.secrets.values(), now())
        times = [
            moment - time.monotonic()
            for moment in (self._retry.at, self._update_status.at)
            if moment is not None
        ]
        if date is not None:
            times.append((date - now()).total_seconds())
        return max(min(times), 0.001) if times else None

    def _remote(self) -> Remote:
        due = self._retry.due(time.monotonic())
        return remote_state(self._model, self.unit, retry_due=due, moment=now())

    def _do_next(self) -> None:
        with self._lock:
            if self._gone() or not self._due():
                return
            self.busy = True
            if self._ready_task():
                task, hook, remote = self.tasks.popleft(), None, None
            else:
                task, remote = None, self._remote()
                hook = self._resolve(remote)
        try:
            if task is not None:
                self._run_task(task)
            elif hook is not None and remote is not None:
                self._run_hook(hook, remote)
        finally:
            with self._lock:
                self.busy, self._doomed = False, self._closed
                self._controller.changed(self._model)

    def _resolve(self, remote: Remote) -> Hook | None:
        """The next hook; a failed one that the operator gave up counts as done."""
        unit = self.unit
        if unit.local.failed and unit.resolved == "skip":
            self._succeeded(unit.local.failed, remote)
            return None
        hook = next_hook(unit.local, remote)
        if hook is None or hook.kind != UNPACK:  # which comes before the hook asked for
            unit.resolved = ""
            self._retry.begun()
        return hook

    # hooks

    def _run_hook(self, hook: Hook, remote: Remote) -> None:
        if hook.kind in ("install", "upgrade-charm", UNPACK) and not self._unpack():
            return
        if hook.kind == UNPACK:
            with self._lock:
                self.unit.local = committed(self.unit.local, hook, remote)
            return
        with self._lock:
            if self._gone():  # as a unit may be that was not installed yet
                return
            context = self._context(hook=hook)
            self._controller.kills.begins(context)
            self.unit.agent = Status("executing", f"running {hook.name} hook")
            if hook.kind in _WORKLOADS:
                self.unit.workload = replace(_WORKLOADS[hook.kind], since=now())
            self._controller.changed(self._model)
        code = self._dispatch(context, f"hooks/{hook.name}", self._log_lines(hook.name))
        with self._lock:
            self._ended(context, hook, remote, code)

    def _unpack(self) -> bool:
        """Put the charm's files and the hook tools on the machine."""
        unit, host = self.unit, self.unit.machine.host
        assert host is not None
        with self._lock:
            if self._gone():
                return False
            archive = self._model.applications[unit.application].charm.path
            if not unit.local.installed:
                unit.workload = Status("waiting", "installing agent")
        try:
            runner.install_tools(host, unit.name, self._controller.hooktool, list(SPECS))
            runner.unpack(host, unit.name, archive)
        except (JujuError, OSError) as error:
            self._log("ERROR", "juju.worker.uniter", str(error))
            time.sleep(_UNPACK_AGAIN_SECONDS)
            return False
        return True

    def _ended(self, context: Context, hook: Hook, remote: Remote, code: int) -> None:
        self._controller.tools.unregister(context)
        if self._gone():
            return
        how = f'"{hook.name}" hook (via hook dispatching script: dispatch)'
        if code == 0:
            context.commit()
            self._log("INFO", "juju.worker.uniter.operation", f"ran {how}")
            self._set_workload_after(hook, context)
            self._succeeded(hook, remote)
            return
        reason = f"exit status {code}" if code > 0 else f"signal: {_signal_name(-code)}"
        message = f'hook "{hook.name}" (via hook dispatching script: dispatch) failed: {reason}'
        self._log("ERROR", "juju.worker.uniter.operation", message)
        self._log(
            "INFO", "juju.worker.uniter", f'awaiting error resolution for "{hook.name}" hook'
        )
        self.unit.local = replace(self.unit.local, failed=hook)
        self.unit.failed_message = f'hook failed: "{hook.name}"'
        if self._model.setting("automatically-retry-hooks"):
            self._retry.failed(time.monotonic())

    def _succeeded(self, hook: Hook, remote: Remote) -> None:
        unit = self.unit
        unit.local = committed(unit.local, hook, remote)
        unit.resolved, unit.failed_message, unit.force_upgrade = "", "", False
        self._retry.succeeded()
        if hook.kind == "relation-broken" and hook.relation_id in self._model.relations:
            self._model.relations[hook.relation_id].joined.discard(unit.name)
        if hook.kind == "secret-rotate":
            self._rotated(identifier(hook.secret))

    def _rotated(self, secret_id: str) -> None:
        secret = self._model.secrets.get(secret_id)
        if secret and secret.next_rotate and secret.next_rotate <= now():
            after = rotated(secret, now())
            self._model.secrets[secret_id] = replace(after, rotations=secret.rotations + 1)

    def _set_workload_after(self, hook: Hook, context: Context) -> None:
        if hook.kind in _ENDED:
            self.unit.workload = Status("terminated")
        elif hook.kind == "start" and self.unit.workload.same(_WORKLOADS["install"]):
            self.unit.workload = Status("unknown")

    # actions and commands

    def _run_task(self, task: Task) -> None:
        with self._lock:
            if task.done or self._gone():
                return
            task.status, task.started = "running", now()
            what = f"action {task.action}" if task.action else "juju-exec"
            self.unit.agent = Status("executing", f"running {what}")
            action = ActionRun(task.action, task.id, task.params) if task.action else None
            context = self._context(action=action)
            self._controller.changed(self._model)
        stdout: list[str] = []
        stderr: list[str] = []
        output = (stdout.append, stderr.append)
        if action:
            code = self._dispatch(context, f"actions/{task.action}", output)
        else:
            code = self._process(context, ["/bin/bash", "-c", task.command], "", output)
        with self._lock:
            self._controller.tools.unregister(context)
            if code == 0 and not self._gone():
                context.commit()
            finish(task, action, code, stdout, stderr)

    # processes

    def _context(self, hook: Hook | None = None, action: ActionRun | None = None) -> Context:
        self._contexts += 1
        what = hook.name if hook else f"action-{action.name}" if action else "juju-exec"
        context = Context(
            id=f"{self.unit.name}-{what}-{self._model.uuid[:8]}-{self._contexts}",
            model=self._model,
            application=self._model.applications[self.unit.application],
            unit=self.unit,
            log=self._log,
            hook=hook,
            action=action,
            retry=hook is not None and self.unit.local.failed is not None,
        )
        self._controller.tools.register(context)
        return context

    def _dispatch(self, context: Context, path: str, output: runner.Output) -> int:
        """Run the charm's dispatch script; a charm without one has hooks/NAME, or nothing."""
        folder, host = runner.charm_dir(self.unit.name), self.unit.machine.host
        assert host is not None
        for script in ("dispatch", path):
            if runner.inside(host, f"{folder}/{script}").exists():
                return self._process(context, [f"{folder}/{script}"], path, output)
        return 0

    def _process(self, context: Context, argv: list[str], path: str, output: runner.Output) -> int:
        host = self.unit.machine.host
        assert host is not None
        start, began = now(), time.monotonic()
        with self._lock:
            env = runner.environment(context, path)
        try:
            argv = self._controller.intercepts.through(context, argv, self._kill)
            run = runner.Run(host, argv, env, runner.charm_dir(self.unit.name), output)
        except OSError as error:
            self._log("ERROR", "juju.worker.uniter.operation", f"cannot run {argv[0]}: {error}")
            return 1
        with self._lock:
            self._run = run
            if self._doomed:
                run.kill()
        code = run.wait()
        with self._lock:
            self._run = None
            self._history.append(run_of(context, path, start, time.monotonic() - began, code))
        return code

    def _log_lines(self, hook: str) -> runner.Output:
        module = f"unit.{self.unit.name}.{hook}"
        return (
            lambda line: self._log("INFO", module, line),
            lambda line: self._log("WARNING", module, line),
        )

    def _log(self, level: str, module: str, message: str) -> None:
        self._controller.log(self._model, self.unit.name, level, module, message)


def _signal_name(number: int) -> str:
    return {9: "killed", 15: "terminated"}.get(number, str(number))

"""The uniter of one unit: a thread that runs what the resolver chooses."""

from __future__ import annotations

import shutil
import threading
import time
from collections import deque

from testbed.juju.durations import seconds
from testbed.juju.state.model import Model, Unit
from testbed.juju.state.paths import agent_dir, inside
from testbed.juju.state.status import Status, now
from testbed.juju.uniter.executor import Executor
from testbed.juju.uniter.processes import Processes
from testbed.juju.uniter.protocols import ControllerLike
from testbed.juju.uniter.remotestate import Snapshot, snapshot
from testbed.juju.uniter.resolver import next_hook
from testbed.juju.uniter.secretexpire import SecretExpire
from testbed.juju.uniter.tasks import Task
from testbed.juju.uniter.timers import Retry, UpdateStatus


class Uniter:
    """Runs a unit's hooks, actions and commands, one at a time, until the unit is gone."""

    def __init__(self, controller: ControllerLike, model: Model, unit: Unit):
        self.tasks: deque[Task] = deque()
        self._controller, self._model, self._unit = controller, model, unit
        self._lock = controller.lock
        self._retry = Retry()
        self._update_status = UpdateStatus()
        self._processes = Processes(controller, model, unit)
        self._expire = SecretExpire(model.manner)
        self._executor = Executor(
            controller, model, unit, self._processes, self._retry, self._expire
        )
        self._thread = threading.Thread(target=self._main, daemon=True, name=unit.name)

    def start(self) -> None:
        self._thread.start()

    def join(self, timeout: float) -> None:
        self._thread.join(timeout)

    def kill(self) -> None:
        """SIGKILL what runs now, or is about to start. Called under the lock."""
        self._processes.kill()

    def restarted(self) -> None:
        """Forget what an agent forgets when it restarts. Called under the lock."""
        self._expire.restart()

    def idle(self) -> bool:
        """Return whether nothing runs and nothing is due. Called under the lock."""
        busy = self._processes.busy
        if self._gone() or self._unit.agent_stopped:
            return not busy
        if busy or self.tasks or self._unit.machine.host is None:
            return False
        return not self._hook_due() and self._retry.at is None

    def _main(self) -> None:
        while self._wait_until_due():
            with self._controller.hook_lock(self._model, self._unit.machine):
                self._do_next()
        with self._lock:
            for task in self.tasks:
                task.finish("cancelled", "unit removed")
            self._lock.notify_all()
        self._remove_folder()

    def _remove_folder(self) -> None:
        """Remove the unit's folder, unless the whole machine is removed."""
        machine = self._unit.machine
        with self._lock:
            host = machine.host if self._model.has(machine) else None
        if host is not None:
            shutil.rmtree(inside(host, agent_dir(self._unit.name)), ignore_errors=True)

    def _gone(self) -> bool:
        return self._model.is_gone(self._unit)

    def _wait_until_due(self) -> bool:
        """Wait until there is something to do. Return False if the unit is gone."""
        with self._lock:
            while not self._gone():
                if self._due():
                    return True
                if not self._rested():  # resting may make a hook due, or the unit gone
                    self._lock.wait(self._timeout())
            return False

    def _due(self) -> bool:
        unit = self._unit
        if unit.agent_stopped or unit.machine.host is None:
            return False
        self._tick()
        return self._task_due() or self._hook_due()

    def _task_due(self) -> bool:
        return bool(self.tasks) and self._unit.local.installed

    def _hook_due(self) -> bool:
        return next_hook(self._unit.local, self._remote()) is not None

    def _rested(self) -> bool:
        """Become idle. Return whether the agent was not idle before."""
        if self._unit.agent.current != "executing":
            return False
        self._unit.agent = Status("idle")
        self._controller.changed(self._model)
        return True

    def _tick(self) -> None:
        """Make update-status due once in each interval."""
        if not self._unit.local.started:
            return
        interval = seconds(self._model.setting("update-status-hook-interval"))
        if self._update_status.passed(time.monotonic(), interval):
            self._unit.update_status_version += 1

    def _timeout(self) -> float | None:
        """Return the seconds until time alone makes something due; None if it never does."""
        times = [
            moment - time.monotonic()
            for moment in (self._retry.at, self._update_status.at)
            if moment is not None
        ]
        if self._expire.alarm is not None:
            times.append((self._expire.alarm - now()).total_seconds())
        return max(min(times), 0.001) if times else None

    def _remote(self) -> Snapshot:
        due, moment = self._retry.due(time.monotonic()), now()
        leader = self._model.applications[self._unit.application].leader == self._unit.name
        secrets = self._model.secrets.values()
        self._expire.look(self._unit.name, secrets, moment, leader=leader)
        expired = self._expire.expired
        return snapshot(self._model, self._unit, retry_due=due, expired=expired)

    def _do_next(self) -> None:
        with self._lock:
            if self._gone() or not self._due():
                return
            self._processes.begin()
            task = self.tasks.popleft() if self._task_due() else None
            remote = self._remote()
            hook = None
            if task is None:
                hook = next_hook(self._unit.local, remote)
                self._retry.begun()
        try:
            if task is not None:
                self._executor.run_task(task)
            elif hook is not None:
                self._executor.run_hook(hook, remote)
        finally:
            with self._lock:
                self._processes.end()
                self._controller.changed(self._model)

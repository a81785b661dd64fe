"""Starts, restarts and stops the services of a machine, as systemd does.

PID 1 uses it on the system's python3, so it imports the standard library only.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

RESTART_DELAY = 1.0
"""Seconds between the end of a service and its next start."""
STOP_TIMEOUT = 10.0
"""Seconds that a service may take to end after SIGTERM, before SIGKILL."""


@dataclass(frozen=True)
class Unit:
    """A service: its name without `.service`, and what returns its command at each start."""

    name: str
    command: Callable[[], list[str]]
    restarts: bool = True


@dataclass
class _State:
    wanted: bool = False
    pid: int = 0
    exit_code: int | None = None
    restarts: int = 0
    timer: threading.Timer | None = field(default=None, repr=False)


class ServiceManager:
    """The services of one machine. Call `ended` for every child process that ends."""

    def __init__(self, units: list[Unit], environment: Mapping[str, str], logs: str) -> None:
        self._units = {unit.name: unit for unit in units}
        self._states = {unit.name: _State() for unit in units}
        self._environment = dict(environment)
        self._logs = logs
        self._changed = threading.Condition(threading.RLock())

    def knows(self, name: str) -> bool:
        """Return whether a service of that name exists."""
        return name in self._units

    def add(self, unit: Unit) -> None:
        """Make a service known, without starting it."""
        with self._changed:
            self._units[unit.name] = unit
            self._states[unit.name] = _State()

    def start(self, name: str) -> None:
        """Start a service unless it runs.

        Raises OSError if the program or the file with its arguments is missing.
        """
        with self._changed:
            state = self._states[name]
            if state.pid:
                return
            self._forget_timer(state)
            state.wanted = True
            self._spawn(name)

    def stop(self, name: str) -> None:
        """Stop a service and return when it has ended."""
        with self._changed:
            state = self._states[name]
            state.wanted = False
            self._forget_timer(state)
            self._end(state, signal.SIGTERM, STOP_TIMEOUT)
            self._end(state, signal.SIGKILL, STOP_TIMEOUT)

    def state(self, name: str) -> str:
        """Return the state in systemd's words: active, activating, failed or inactive."""
        with self._changed:
            state = self._states[name]
            if state.pid:
                return "active"
            if state.timer:
                return "activating"
            return "failed" if state.wanted and state.exit_code else "inactive"

    def main_pid(self, name: str) -> int:
        """Return the process id of a service, 0 when it does not run."""
        with self._changed:
            return self._states[name].pid

    def ended(self, pid: int, exit_code: int) -> None:
        """Note the end of a child process, which is a service or an orphan."""
        with self._changed:
            for name, state in self._states.items():
                if state.pid == pid:
                    self._note_end(name, state, exit_code)
            self._changed.notify_all()

    def _note_end(self, name: str, state: _State, exit_code: int) -> None:
        state.pid = 0
        state.exit_code = exit_code
        if state.wanted and self._units[name].restarts:
            self._log(
                name, f"{name}.service: ended with {exit_code}, restarts in {RESTART_DELAY:g} s"
            )
            state.timer = threading.Timer(RESTART_DELAY, self._restart, [name])
            state.timer.daemon = True
            state.timer.start()

    def _restart(self, name: str) -> None:
        with self._changed:
            state = self._states[name]
            state.timer = None
            if not state.wanted or state.pid:
                return
            try:
                self._spawn(name)
            except OSError as error:
                self._log(name, f"{name}.service: cannot start: {error}")
                self._note_end(name, state, 203)

    def _spawn(self, name: str) -> None:
        command = self._units[name].command()
        log = os.open(self._log_path(name), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o640)
        null = os.open(os.devnull, os.O_RDONLY)
        try:
            actions = [(os.POSIX_SPAWN_DUP2, null, 0)]
            actions += [(os.POSIX_SPAWN_DUP2, log, descriptor) for descriptor in (1, 2)]
            self._states[name].pid = os.posix_spawnp(
                command[0], command, self._environment, file_actions=actions, setsid=True
            )
        finally:
            os.close(log)
            os.close(null)

    def _end(self, state: _State, number: signal.Signals, timeout: float) -> None:
        deadline = time.monotonic() + timeout
        if state.pid:
            os.kill(state.pid, number)
        while state.pid and (left := deadline - time.monotonic()) > 0:
            self._changed.wait(left)

    def _forget_timer(self, state: _State) -> None:
        if state.timer:
            state.timer.cancel()
            state.timer = None

    def _log_path(self, name: str) -> str:
        return os.path.join(self._logs, f"{name}.log")

    def _log(self, name: str, line: str) -> None:
        with open(self._log_path(name), "a") as log:
            log.write(f"{time.strftime('%b %d %H:%M:%S')} systemd[1]: {line}\n")

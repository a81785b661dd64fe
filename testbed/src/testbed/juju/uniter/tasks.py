"""Tasks of actions and of `juju exec`, and their results."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from testbed.juju.hooktools.context import ActionRun
from testbed.juju.state.status import now


@dataclass
class Task:
    """One task on one unit. `command` for exec, `action` and `params` for actions."""

    id: str
    target: str
    action: str = ""
    params: dict[str, Any] = field(default_factory=dict)
    command: str = ""
    status: str = "pending"
    message: str = ""
    results: dict[str, Any] = field(default_factory=dict)
    enqueued: datetime = field(default_factory=now)
    started: datetime | None = None
    completed: datetime | None = None

    @property
    def done(self) -> bool:
        return self.status in ("completed", "failed", "cancelled")

    @property
    def return_code(self) -> int:
        """The exit code of the task's process; 0 if none ran."""
        return self.results.get("return-code", 0)

    @property
    def failed(self) -> bool:
        return self.status != "completed" or self.return_code != 0

    def finish(self, status: str, message: str = "") -> None:
        self.status, self.message, self.completed = status, message, now()

    def report(self) -> dict[str, Any]:
        """Return the task as `juju run --format json` shows it."""
        entry: dict[str, Any] = {"id": self.id, "status": self.status}
        if self.results:
            entry["results"] = self.results
        if self.message:
            entry["message"] = self.message
        times = {"enqueued": self.enqueued, "started": self.started, "completed": self.completed}
        entry["timing"] = {
            name: f"{moment:%Y-%m-%d %H:%M:%S +0000 UTC}"
            for name, moment in times.items()
            if moment
        }
        return {**entry, "unit": self.target}


def finish(
    task: Task,
    action: ActionRun,
    code: int,
    stdout: list[str],
    stderr: list[str],
    *,
    refusal: str = "",
) -> None:
    """Record that a task has ended, with the results that an action has set.

    `refusal` is why the controller has taken nothing of what it has written. The return code stays
    the one of the process.
    """
    task.results = {**action.results, "return-code": code}
    for name, lines in (("stdout", stdout), ("stderr", stderr)):
        if lines:
            task.results[name] = "\n".join(lines) + "\n"
    if refusal:
        said = [task.results["stderr"]] if stderr else []
        task.results["stderr"] = "\n".join([*said, refusal])
        task.finish("failed", "committing requested changes failed")
    elif action.failure is not None:
        task.finish("failed", action.failure)
    elif code != 0 and task.action:
        task.finish("failed", f"exit status {code}")
    else:
        task.finish("completed")

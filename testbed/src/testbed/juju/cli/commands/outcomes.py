"""The results of tasks, as `juju run` and `juju exec` print them."""

from __future__ import annotations

from typing import Any

from testbed.juju import goyaml
from testbed.juju.cli.invocation import Invocation
from testbed.juju.state.model import Model
from testbed.juju.uniter.tasks import Task

_OUTPUT = ("stdout", "stderr")


def new_task(model: Model, target: str, **what: Any) -> Task:
    """Return a new task with the model's next number."""
    task = Task(str(model.next_operation), target, **what)
    model.next_operation += 1
    return task


def waiting(tasks: list[Task]) -> str:
    return ", ".join(f"unit {task.target}" for task in tasks if not task.done)


def verdict(invocation: Invocation, tasks: list[Task]) -> int:
    """Return 1 if a process failed, and say so. As in Juju, `action-fail` alone is no failure."""
    failed = [task for task in tasks if task.return_code]
    if not failed:
        return 0
    plural = "" if len(failed) == 1 else "s"
    lines = [f"ERROR the following task{plural} failed:"]
    lines += [f' - id "{task.id}" with return code {task.return_code}' for task in failed]
    invocation.info("\n".join([*lines, ""]))
    return 1


def plain(task: Task) -> str:
    """Return the result of a task for people: the values as YAML, then its output."""
    lines = [f"Action id {task.id} failed: {task.message}"] if task.status == "failed" else []
    if task.results or not lines:
        lines.append(_values(task))
    lines += [str(task.results[key]).strip("\n") for key in _OUTPUT if key in task.results]
    return "\n".join(lines) + "\n"


def _values(task: Task) -> str:
    """Return what the charm has set, as YAML."""
    if not task.results:
        return f"Task {task.id} {task.status}\n"
    values = {k: v for k, v in task.results.items() if k not in ("return-code", *_OUTPUT)}
    return goyaml.dump(values, sort_keys=True) if values else ""

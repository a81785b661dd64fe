"""Tasks of `juju run` and `juju exec`, and their results as these print them."""

from __future__ import annotations

from typing import Any

from testbed.juju import goyaml
from testbed.juju.cli.invocation import Invocation
from testbed.juju.state.model import Model, Unit
from testbed.juju.uniter.tasks import Task

_OUTPUT = ("stdout", "stderr")


def next_number(model: Model) -> int:
    """Return the number of a new operation or task."""
    model.next_operation += 1
    return model.next_operation - 1


def enqueue(invocation: Invocation, unit: Unit, **what: Any) -> Task:
    """Give a unit a new task. Called under the lock."""
    model = invocation.model
    task = Task(str(next_number(model)), unit.name, **what)
    invocation.controller.uniter(model, unit).tasks.append(task)
    invocation.controller.changed(model)
    return task


def are_done(invocation: Invocation, tasks: list[Task], timeout: float) -> bool:
    """Wait for tasks. Return whether all are done, and say which are not."""
    with invocation.controller.lock:
        if invocation.wait(lambda: all(task.done for task in tasks), timeout):
            return True
    waiting = ", ".join(f"unit {task.target}" for task in tasks if not task.done)
    invocation.info(f"ERROR timed out waiting for results from: {waiting}")
    return False


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

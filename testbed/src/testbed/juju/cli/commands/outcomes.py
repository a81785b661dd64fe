"""The results of tasks, as `juju run` and `juju exec` print them."""

from __future__ import annotations

from typing import Any

from testbed.juju.cli.commands.configure import to_yaml
from testbed.juju.cli.invocation import Invocation
from testbed.juju.state.model import Model
from testbed.juju.uniter.tasks import Task

_OWN_RESULTS = ("return-code", "stdout", "stderr")


def new_task(invocation: Invocation, model: Model, target: str, **what: Any) -> Task:
    """Return a new task with the model's next number. `juju show-task` finds it."""
    task = Task(str(model.next_operation), target, **what)
    model.next_operation += 1
    invocation.controller.tasks[model.uuid, task.id] = task
    return task


def scheduled(operation: int, tasks: list[Task]) -> str:
    """Return the message about tasks that run in the background."""
    numbers = " and ".join(task.id for task in tasks)
    plural = "" if len(tasks) == 1 else "s"
    lines = [f"Scheduled operation {operation} with task{plural} {numbers}"]
    lines += [f"Check task status with 'juju show-task {task.id}'" for task in tasks]
    return "\n".join(lines)


def waiting(tasks: list[Task]) -> str:
    return ", ".join(f"unit {task.target}" for task in tasks if not task.done)


def verdict(invocation: Invocation, tasks: list[Task]) -> int:
    failed = [task for task in tasks if task.failed]
    if not failed:
        return 0
    plural = "" if len(failed) == 1 else "s"
    lines = [f"ERROR the following task{plural} failed:"]
    for task in failed:
        how = f"with return code {task.results.get('return-code', 0)}"
        if task.status != "completed":
            how = f"with error: {task.message}" if task.message else f"with status {task.status}"
        lines.append(f' - id "{task.id}" {how}')
    invocation.error("\n".join([*lines, "", "use 'juju show-task' to inspect the failure"]))
    return 1


def plain(tasks: list[Task]) -> str:
    """Return the results for people: the values that an action set as YAML, then its output."""
    texts = []
    for task in tasks:
        set_by_charm = {k: v for k, v in task.results.items() if k not in _OWN_RESULTS}
        parts = [f"{task.message}\n"] if task.message else []
        parts += [to_yaml(set_by_charm, sort_keys=True)] if set_by_charm else []
        parts += [str(task.results[key]) for key in ("stdout", "stderr") if key in task.results]
        texts.append("\n".join(part.rstrip("\n") for part in parts))
    if len(tasks) == 1:
        return texts[0]
    return "\n\n".join(f"{task.target}:\n{text}" for task, text in zip(tasks, texts, strict=True))

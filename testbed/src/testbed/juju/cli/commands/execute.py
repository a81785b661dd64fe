"""juju exec."""

from __future__ import annotations

import shlex

from testbed.juju.cli.commands.configure import dump
from testbed.juju.cli.commands.outcomes import are_done, enqueue, next_number, verdict
from testbed.juju.cli.commands.parsing import wait_seconds
from testbed.juju.cli.invocation import Command, Invocation
from testbed.juju.errors import JujuError, UsageError
from testbed.juju.flags import Flag, Parsed
from testbed.juju.state import names
from testbed.juju.state.model import Model, Unit
from testbed.juju.uniter.tasks import Task

_EXEC_SECONDS = 300.0


def exec_(invocation: Invocation, parsed: Parsed) -> int:
    if not parsed.args:
        raise UsageError("no commands specified")
    command = parsed.args[0] if len(parsed.args) == 1 else shlex.join(parsed.args)
    timeout = wait_seconds(parsed.text("wait")) or _EXEC_SECONDS
    with invocation.controller.lock:
        model = invocation.model
        operation = next_number(model)
        try:
            units = _exec_targets(model, parsed)
        except UsageError:
            raise
        except JujuError as error:
            invocation.info(f"Operation {operation} failed to schedule any tasks:\n{error}")
            return 0
        tasks = [enqueue(invocation, unit, command=command) for unit in units]
    if not tasks:
        raise JujuError("no units to run on")
    return _exec_results(invocation, parsed, tasks, timeout)


def _exec_results(
    invocation: Invocation, parsed: Parsed, tasks: list[Task], timeout: float
) -> int:
    if not are_done(invocation, tasks, timeout):
        return 1
    style = parsed.text("format", "plain")
    if style == "plain":
        invocation.print(_exec_plain(tasks), end="")
    else:
        invocation.print(dump({task.target: task.report() for task in tasks}, style))
    return verdict(invocation, tasks)


def _exec_plain(tasks: list[Task]) -> str:
    texts = {
        task.target: "".join(str(task.results.get(key, "")) for key in ("stdout", "stderr"))
        for task in tasks
    }
    if len(texts) == 1:
        return next(iter(texts.values()))
    ordered = sorted(texts.items(), key=lambda item: names.natural(item[0]))
    return "".join(f"{target}:\n{text}\n" for target, text in ordered)


def _exec_targets(model: Model, parsed: Parsed) -> list[Unit]:
    given = {name: _listed(parsed, name) for name in ("unit", "application")}
    if not any(given.values()):
        raise UsageError("You must specify a target, through --application or --unit")
    wrong = [
        f'  "{n}" is not a valid unit name'
        for n in given["unit"]
        if not names.is_unit_or_leader(n)
    ]
    if wrong:
        raise UsageError("The following exec targets are not valid:\n" + "\n".join(wrong))
    units = [model.unit(name) for name in given["unit"]]
    for name in given["application"]:
        units += model.application(name).units.values()
    return units


def _listed(parsed: Parsed, name: str) -> list[str]:
    return [part for word in parsed.all(name) for part in word.split(",") if part]


COMMANDS = (
    Command(
        "exec", exec_, "Runs a command on units.",
        (Flag("format"), Flag("wait"), Flag("unit", "list"), Flag("application", "list")),
    ),
)  # fmt: skip

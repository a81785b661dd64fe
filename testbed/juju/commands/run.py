"""juju run and show-task."""

from __future__ import annotations

from typing import Any

import yaml

from testbed.juju import actions, names
from testbed.juju.commands.configure import dump
from testbed.juju.commands.outcomes import new_task, plain, scheduled, verdict, waiting
from testbed.juju.commands.parsing import wait_seconds
from testbed.juju.errors import JujuError, UsageError
from testbed.juju.flags import Flag, Parsed
from testbed.juju.model import Model, Unit
from testbed.juju.session import Command, Session
from testbed.juju.tasks import Task

_RUN_SECONDS = 60.0
_FORMAT, _WAIT, _UTC = Flag("format"), Flag("wait"), Flag("utc", "bool")


def run(session: Session, parsed: Parsed) -> int:
    units, name, words = _split(parsed.args)
    base = yaml.safe_load(session.read(parsed.text("params"))) if parsed.text("params") else {}
    if not isinstance(base, dict):
        raise UsageError("params must contain a YAML map with string keys")
    params = actions.parse_params(words, base, as_text=parsed.on("string-args"))
    with session.controller.lock:
        model = session.model
        operation, tasks, problems = _enqueue(session, model, units, name, params)
    if not tasks:
        session.info(
            f"Operation {operation} failed to schedule any tasks:\n" + "\n".join(problems)
        )
        return 0
    if parsed.on("background"):
        session.info(scheduled(operation, tasks))
        return 0
    _announce(session, operation, tasks)
    return _results(session, parsed, tasks, wait_seconds(parsed.text("wait")) or _RUN_SECONDS)


def _split(args: list[str]) -> tuple[list[str], str, list[str]]:
    units: list[str] = []
    for number, arg in enumerate(args):
        if names.is_unit_or_leader(arg):
            units.append(arg)
        elif actions.is_action_name(arg):
            if not units:
                raise UsageError("no unit specified")
            if len({names.application_of(unit) for unit in units}) > 1:
                raise UsageError("all units must be of the same application")
            return units, arg, args[number + 1 :]
        else:
            raise UsageError(f'invalid unit or action name "{arg}"')
    raise UsageError("no action specified" if units else "no unit specified")


def _enqueue(
    session: Session, model: Model, units: list[str], name: str, params: dict[str, Any]
) -> tuple[int, list[Task], list[str]]:
    operation, tasks, problems = model.next_operation, [], []
    model.next_operation += 1
    for wanted in units:
        try:
            unit = model.unit(wanted)
            checked = actions.check_params(_action_of(model, unit, name), params)
        except JujuError as error:
            problems.append(str(error))
            continue
        task = new_task(session, model, unit.name, action=name, params=checked)
        session.controller.agent(model, unit).tasks.append(task)
        tasks.append(task)
    session.controller.changed(model)
    return operation, tasks, problems


def _action_of(model: Model, unit: Unit, name: str) -> actions.Action:
    found = model.applications[unit.application].charm.actions
    if name not in found:
        raise JujuError(f'action "{name}" not defined on unit "{unit.name}"')
    return found[name]


def _announce(session: Session, operation: int, tasks: list[Task]) -> None:
    plural = "" if len(tasks) == 1 else "s"
    lines = [f"Running operation {operation} with {len(tasks)} task{plural}"]
    lines += [f"  - task {task.id} on {names.tag_of(task.target)}" for task in tasks]
    session.info("\n".join(lines) + "\n")


def _results(session: Session, parsed: Parsed, tasks: list[Task], timeout: float) -> int:
    with session.controller.lock:
        for task in tasks if not parsed.on("quiet") else ():
            session.info(f"Waiting for task {task.id}...")
        finished = session.wait(lambda: all(task.done for task in tasks), timeout)
        reports = {task.target: task.report() for task in tasks}
    style = parsed.text("format", "plain")
    if not finished:
        session.error(f"ERROR timed out waiting for results from: {waiting(tasks)}")
        return 1
    session.print(plain(tasks) if style == "plain" else dump(reports, style))
    return verdict(session, tasks)


def show_task(session: Session, parsed: Parsed) -> int:
    if len(parsed.args) != 1:
        raise UsageError("no task ID specified")
    timeout = wait_seconds(parsed.text("wait"))
    with session.controller.lock:
        task = session.controller.tasks.get((session.model.uuid, parsed.args[0]))
        if task is None:
            raise JujuError(f'task "{parsed.args[0]}" not found')
        if timeout is not None:
            session.wait(lambda: task.done, timeout)
        report = task.report()
    style = parsed.text("format", "plain")
    session.print(plain([task]) if style == "plain" else dump(report, style))
    return 0


COMMANDS = (
    Command(
        "run", run, "Runs an action on units.",
        (_FORMAT, _WAIT, _UTC, Flag("background", "bool"), Flag("params"),
         Flag("string-args", "bool"), Flag("color", "bool"), Flag("no-color", "bool")),
    ),
    Command("show-task", show_task, "Shows what came of a task.", (_FORMAT, _WAIT, _UTC)),
)  # fmt: skip

"""juju run."""

from __future__ import annotations

from typing import Any

import yaml

from testbed.juju.cli.commands.configure import dump
from testbed.juju.cli.commands.outcomes import new_task, plain, verdict, waiting
from testbed.juju.cli.commands.parsing import wait_seconds
from testbed.juju.cli.invocation import Command, Invocation
from testbed.juju.errors import JujuError, UsageError
from testbed.juju.flags import Flag, Parsed
from testbed.juju.manner import Manner
from testbed.juju.state import actions, names
from testbed.juju.state.model import Model, Unit
from testbed.juju.uniter.tasks import Task

_RUN_SECONDS = 60.0


def run(invocation: Invocation, parsed: Parsed) -> int:
    units, name, words = _split(parsed.args)
    base = yaml.safe_load(invocation.read(parsed.text("params"))) if parsed.text("params") else {}
    if not isinstance(base, dict):
        raise UsageError("params must contain a YAML map with string keys")
    params = actions.parse_params(words, base, as_text=parsed.on("string-args"))
    with invocation.controller.lock:
        model = invocation.model
        operation, tasks, problems = _enqueue(invocation, model, units, name, params)
    if not tasks:
        invocation.info(
            f"Operation {operation} failed to schedule any tasks:\n" + "\n".join(problems)
        )
        return 0
    _announce(invocation, operation, tasks)
    return _results(invocation, parsed, tasks, wait_seconds(parsed.text("wait")) or _RUN_SECONDS)


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
    invocation: Invocation, model: Model, units: list[str], name: str, params: dict[str, Any]
) -> tuple[int, list[Task], list[str]]:
    if model.manner is Manner.JUJU_4_1:
        _check_defined(model, units[0], name)
    operation, tasks, problems = model.next_operation, [], []
    model.next_operation += 1
    for wanted in units:
        try:
            unit = model.unit(wanted)
            if model.manner is Manner.JUJU_3_6:  # 4.1 leaves the parameters to the unit
                actions.check_params(_action_of(model, unit, name), params)
        except JujuError as error:
            problems.append(str(error))
            continue
        task = new_task(model, unit.name, action=name, params=params)
        invocation.controller.uniter(model, unit).tasks.append(task)
        tasks.append(task)
    invocation.controller.changed(model)
    return operation, tasks, problems


def _check_defined(model: Model, wanted: str, name: str) -> None:
    unit = model.unit(wanted)
    charm = model.applications[unit.application].charm
    if not charm.actions:
        raise JujuError(f"no actions defined for charm {charm.name}. (not found)")
    if name not in charm.actions:
        raise JujuError(f'action "{name}" not defined for unit "{unit.name}". (not found)')


def _action_of(model: Model, unit: Unit, name: str) -> actions.Action:
    found = model.applications[unit.application].charm.actions
    if name not in found:
        raise JujuError(f'action "{name}" not defined on unit "{unit.name}"')
    return found[name]


def _announce(invocation: Invocation, operation: int, tasks: list[Task]) -> None:
    plural = "" if len(tasks) == 1 else "s"
    lines = [f"Running operation {operation} with {len(tasks)} task{plural}"]
    lines += [f"  - task {task.id} on {names.tag_of(task.target)}" for task in tasks]
    invocation.info("\n".join(lines) + "\n")


def _results(invocation: Invocation, parsed: Parsed, tasks: list[Task], timeout: float) -> int:
    with invocation.controller.lock:
        for task in tasks:
            invocation.info(f"Waiting for task {task.id}...")
        finished = invocation.wait(lambda: all(task.done for task in tasks), timeout)
        reports = {task.target: task.report() for task in tasks}
    style = parsed.text("format", "plain")
    if not finished:
        invocation.error(f"ERROR timed out waiting for results from: {waiting(tasks)}")
        return 1
    text = plain(tasks) if style == "plain" else dump(reports, style)
    invocation.print(text, end="" if text.endswith("\n") else "\n")
    return verdict(invocation, tasks)


COMMANDS = (
    Command(
        "run", run, "Runs an action on units.",
        (Flag("format"), Flag("wait"), Flag("params"), Flag("string-args", "bool")),
    ),
)  # fmt: skip

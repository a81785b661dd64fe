"""juju run."""

from __future__ import annotations

from typing import Any

import yaml

from testbed.juju.cli.commands.configure import dump
from testbed.juju.cli.commands.outcomes import are_done, enqueue, next_number, plain, verdict
from testbed.juju.cli.commands.parsing import wait_seconds
from testbed.juju.cli.invocation import Command, Invocation
from testbed.juju.errors import JujuError, UnsupportedError, UsageError
from testbed.juju.flags import Flag, Parsed
from testbed.juju.manner import Manner
from testbed.juju.state import actions, names
from testbed.juju.state.model import Model, Unit
from testbed.juju.uniter.tasks import Task

_RUN_SECONDS = 60.0


def run(invocation: Invocation, parsed: Parsed) -> int:
    unit, name, words = _split(parsed.args)
    base = yaml.safe_load(invocation.read(parsed.text("params"))) if parsed.text("params") else {}
    if not isinstance(base, dict):
        raise UsageError("params must contain a YAML map with string keys")
    params = actions.parse_params(words, base, as_text=parsed.on("string-args"))
    with invocation.controller.lock:
        model = invocation.model
        if model.manner is Manner.JUJU_4_1:
            _check_defined(model, unit, name)
        operation = next_number(model)
        try:
            task = _enqueue(invocation, model, unit, name, params)
        except JujuError as error:
            invocation.info(f"Operation {operation} failed to schedule any tasks:\n{error}")
            return 0
    unit_tag = names.tag_of(task.target)
    invocation.info(f"Running operation {operation} with 1 task")
    invocation.info(f"  - task {task.id} on {unit_tag}\n\nWaiting for task {task.id}...")
    return _result(invocation, parsed, task)


def _split(args: list[str]) -> tuple[str, str, list[str]]:
    """Return the unit, the action's name, and the words of its parameters."""
    for arg in args[:2]:
        if not names.is_unit_or_leader(arg) and not actions.is_action_name(arg):
            raise UsageError(f'invalid unit or action name "{arg}"')
    if not args or not names.is_unit_or_leader(args[0]):
        raise UsageError("no unit specified")
    if len(args) == 1:
        raise UsageError("no action specified")
    if names.is_unit_or_leader(args[1]):
        raise UnsupportedError("an action on several units")
    return args[0], args[1], args[2:]


def _enqueue(
    invocation: Invocation, model: Model, wanted: str, name: str, params: dict[str, Any]
) -> Task:
    unit = model.unit(wanted)
    if model.manner is Manner.JUJU_3_6:  # 4.1 leaves the parameters to the unit
        actions.check_params(_action_of(model, unit, name), params)
    return enqueue(invocation, unit, action=name, params=params)


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


def _result(invocation: Invocation, parsed: Parsed, task: Task) -> int:
    timeout = wait_seconds(parsed.text("wait")) or _RUN_SECONDS
    if not are_done(invocation, [task], timeout):
        return 1
    style = parsed.text("format", "plain")
    text = plain(task) if style == "plain" else dump({task.target: task.report()}, style)
    invocation.print(text, end="" if text.endswith("\n") else "\n")
    return verdict(invocation, [task])


COMMANDS = (
    Command(
        "run", run, "Runs an action on a unit.",
        (Flag("format"), Flag("wait"), Flag("params"), Flag("string-args", "bool")),
    ),
)  # fmt: skip

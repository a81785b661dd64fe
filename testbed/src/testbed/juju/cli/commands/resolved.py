"""juju resolved."""

from __future__ import annotations

import uuid

from testbed.juju.cli.invocation import Command, Invocation
from testbed.juju.errors import JujuError, UsageError
from testbed.juju.flags import Flag, Parsed
from testbed.juju.manner import Manner
from testbed.juju.state import names
from testbed.juju.state.model import NO_HOOKS, RETRY_HOOKS, Model, Unit


def resolved(invocation: Invocation, parsed: Parsed) -> None:
    """Have failed hooks run again, or skipped. Refuse the units that are not in error."""
    everyone = parsed.on("all")
    _check(parsed.args, everyone=everyone)
    mode = NO_HOOKS if parsed.on("no-retry") else RETRY_HOOKS
    refusals: list[str] = []
    with invocation.controller.lock:
        model = invocation.model
        chosen = [unit.name for unit in model.units() if unit.in_error]
        for name in chosen if everyone else parsed.args:
            try:
                _resolve(model, model.unit(name), mode)
            except JujuError as error:
                refusals.append(str(error))
        invocation.controller.changed(model)
    if refusals:
        raise JujuError("\n".join(refusals))


def _check(units: list[str], *, everyone: bool) -> None:
    if everyone and units:
        raise UsageError("specifying unit names(s) with --all not supported")
    if not everyone and not units:
        raise UsageError("no unit specified")
    for name in units:
        if not names.is_unit(name):
            raise UsageError(f'unit name "{name}" not valid')
    if len(set(units)) != len(units):
        raise JujuError("duplicate unit specified")


def _resolve(model: Model, unit: Unit, mode: str) -> None:
    newer = model.manner is Manner.JUJU_4_1
    if not unit.in_error:
        raise JujuError(_not_in_error(model, unit) if newer else _no_error(unit))
    if unit.resolved and not newer:
        raise JujuError(f'cannot set resolved mode for unit "{unit.name}": already resolved')
    unit.resolved = mode


def _no_error(unit: Unit) -> str:
    return f'unit "{unit.name}" is not in an error state'


def _not_in_error(model: Model, unit: Unit) -> str:
    number = uuid.uuid5(uuid.UUID(model.uuid), unit.name)
    return f'resolving unit: checking unit "{number}" status: unit is not in error state'


COMMANDS = (
    Command(
        "resolved",
        resolved,
        "Runs the failed hooks of units again, or skips them.",
        (Flag("no-retry", "bool"), Flag("all", "bool")),
    ),
)

"""juju add-unit, remove-unit, remove-application."""

from __future__ import annotations

from testbed.juju.cli.commands.parsing import placements
from testbed.juju.cli.invocation import Command, Invocation
from testbed.juju.controller import deploying, removal
from testbed.juju.errors import JujuError, UsageError
from testbed.juju.flags import Flag, Parsed
from testbed.juju.manner import Manner
from testbed.juju.state import names
from testbed.juju.state.model import Unit

_REMOVAL = (Flag("force", "bool"), Flag("no-prompt", "bool"))


def add_unit(invocation: Invocation, parsed: Parsed) -> None:
    if len(parsed.args) != 1:
        raise UsageError("no application specified" if not parsed.args else "too many arguments")
    count = int(parsed.text("num-units", "1"))
    if count < 1:
        raise UsageError("--num-units must be a positive integer")
    with invocation.controller.lock:
        model = invocation.model
        application = model.application(parsed.args[0])
        machines = deploying.targets(model, placements(parsed), count)
        deploying.add_units(invocation.controller, model, application, count, machines)


def remove_unit(invocation: Invocation, parsed: Parsed) -> None:
    if not parsed.args:
        raise UsageError("no units specified")
    for name in parsed.args:
        if not names.is_unit(name):
            raise UsageError(f'invalid unit name "{name}"')
    with invocation.controller.lock:
        units = [invocation.model.unit(name) for name in parsed.args]
        for unit in units:
            if unit.principal:
                raise JujuError(
                    f'unit "{unit.name}" is a subordinate, to remove use remove-relation. '
                    f'Note: this will remove all units of "{unit.application}"'
                )
    if not _agreed(invocation, parsed, [f"will remove unit {unit.name}" for unit in units]):
        return
    with invocation.controller.lock:
        for unit in units:
            invocation.info(f"removing unit {unit.name}")
            removal.destroy_unit(unit)
        invocation.controller.changed(invocation.model)
        if parsed.on("force"):
            _force(invocation, units)


def remove_application(invocation: Invocation, parsed: Parsed) -> None:
    if not parsed.args:
        raise UsageError("no application specified")
    with invocation.controller.lock:
        applications = [invocation.model.application(name) for name in parsed.args]
        lines = [f"will remove application {application.name}" for application in applications]
        lines += [f"- will remove unit {unit}" for app in applications for unit in app.units]
    if not _agreed(invocation, parsed, lines):
        return
    with invocation.controller.lock:
        for application in applications:
            invocation.info(f"removing application {application.name}")
            units = list(application.units.values())
            removal.destroy_application(invocation.model, application)
            invocation.controller.changed(invocation.model)
            if parsed.on("force"):
                _force(invocation, units)


def _agreed(invocation: Invocation, parsed: Parsed, lines: list[str]) -> bool:
    if parsed.on("no-prompt"):
        return True
    invocation.info("WARNING This command will perform the following actions:")
    for line in lines:
        invocation.info(line)
    if invocation.ask("\nContinue [y/N]? "):
        return True
    raise JujuError("removal: aborted")


def _force(invocation: Invocation, units: list[Unit]) -> None:
    """Remove units without running their hooks, subordinates first.

    In Juju 4.1 the subordinates stay behind, to run theirs.
    """
    model = invocation.model
    behind = model.manner is Manner.JUJU_4_1
    names_too = [name for unit in units if not behind for name in unit.subordinates]
    everyone = [model.find_unit(name) for name in names_too]
    for unit in [*filter(None, everyone), *units]:
        if model.find_unit(unit.name) is unit:
            invocation.controller.remove_now(model, unit)
    invocation.controller.changed(model)


COMMANDS = (
    Command(
        "add-unit", add_unit, "Adds units to an application.",
        (Flag("num-units", aliases=("n",)), Flag("to")),
    ),
    Command("remove-unit", remove_unit, "Removes units.", _REMOVAL),
    Command("remove-application", remove_application, "Removes applications.", _REMOVAL),
)  # fmt: skip

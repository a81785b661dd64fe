"""juju add-unit, remove-unit, remove-application, resolved."""

from __future__ import annotations

from testbed.juju import deploying, lifecycle, names
from testbed.juju.commands.parsing import placements
from testbed.juju.errors import JujuError, UsageError
from testbed.juju.flags import Flag, Parsed
from testbed.juju.model import Unit
from testbed.juju.session import Command, Session

_REMOVAL = (
    Flag("force", "bool"),
    Flag("no-prompt", "bool"),
    Flag("no-wait", "bool"),
    Flag("destroy-storage", "bool"),
)


def add_unit(session: Session, parsed: Parsed) -> None:
    if len(parsed.args) != 1:
        raise UsageError("no application specified" if not parsed.args else "too many arguments")
    count = int(parsed.text("num-units", "1"))
    if count < 1:
        raise UsageError("--num-units must be a positive integer")
    with session.controller.lock:
        model = session.model
        application = model.application(parsed.args[0])
        machines = deploying.targets(model, placements(parsed), count)
        deploying.add_units(session.controller, model, application, count, machines)


def remove_unit(session: Session, parsed: Parsed) -> None:
    if not parsed.args:
        raise UsageError("no units specified")
    for name in parsed.args:
        if not names.is_unit(name):
            raise UsageError(f'invalid unit name "{name}"')
    with session.controller.lock:
        units = [session.model.unit(name) for name in parsed.args]
        for unit in units:
            if unit.principal:
                raise JujuError(
                    f'unit "{unit.name}" is a subordinate, to remove use remove-relation. '
                    f'Note: this will remove all units of "{unit.application}"'
                )
    if not _agreed(session, parsed, [f"will remove unit {unit.name}" for unit in units]):
        return
    with session.controller.lock:
        for unit in units:
            session.info(f"removing unit {unit.name}")
            lifecycle.destroy_unit(session.model, unit)
        session.controller.changed(session.model)
        if parsed.on("force"):
            _force(session, units)


def remove_application(session: Session, parsed: Parsed) -> None:
    if not parsed.args:
        raise UsageError("no application specified")
    with session.controller.lock:
        applications = [session.model.application(name) for name in parsed.args]
        lines = [f"will remove application {application.name}" for application in applications]
        lines += [f"- will remove unit {unit}" for app in applications for unit in app.units]
    if not _agreed(session, parsed, lines):
        return
    with session.controller.lock:
        for application in applications:
            session.info(f"removing application {application.name}")
            units = list(application.units.values())
            lifecycle.destroy_application(session.model, application)
            session.controller.changed(session.model)
            if parsed.on("force"):
                _force(session, units)


def _agreed(session: Session, parsed: Parsed, lines: list[str]) -> bool:
    if parsed.on("no-prompt"):
        return True
    session.error("WARNING This command will perform the following actions:")
    for line in lines:
        session.error(line)
    if session.ask("\nContinue [y/N]? "):
        return True
    raise JujuError("removal: aborted")


def _force(session: Session, units: list[Unit]) -> None:
    """Take units away with no more hooks run, their subordinates first."""
    model = session.model
    everyone = [model.find_unit(name) for unit in units for name in unit.subordinates]
    for unit in [*filter(None, everyone), *units]:
        if model.find_unit(unit.name) is unit:
            session.controller.remove_now(model, unit)
    session.controller.changed(model)


def resolved(session: Session, parsed: Parsed) -> None:
    if not parsed.args and not parsed.on("all"):
        raise UsageError("no unit specified")
    with session.controller.lock:
        model = session.model
        units = (
            [unit for unit in model.units() if unit.local.failed]
            if parsed.on("all")
            else [model.unit(name) for name in parsed.args]
        )
        for unit in units:
            if unit.local.failed is None:
                raise JujuError(f'unit "{unit.name}" is not in an error state')
            unit.resolved = "skip" if parsed.on("no-retry") else "retry"
        session.controller.changed(model)


COMMANDS = (
    Command(
        "add-unit", add_unit, "Adds units to an application.",
        (Flag("num-units", aliases=("n",)), Flag("to")),
    ),
    Command("remove-unit", remove_unit, "Removes units.", _REMOVAL),
    Command("remove-application", remove_application, "Removes applications.", _REMOVAL),
    Command(
        "resolved",
        resolved,
        "Marks a unit in error as resolved, and runs its hook again.",
        (Flag("no-retry", "bool"), Flag("all", "bool")),
        aliases=("resolve",),
    ),
)  # fmt: skip

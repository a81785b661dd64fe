"""juju set-application-base, which 4.x no longer has."""

from __future__ import annotations

from testbed.juju.cli.invocation import Command, Invocation
from testbed.juju.errors import JujuError, UsageError
from testbed.juju.flags import Parsed
from testbed.juju.manner import Manner
from testbed.juju.state import bases, names
from testbed.juju.state.model import Application, Model

_HINT = (
    "WARNING To ensure the correct charm binaries are installed when add-unit is next called, "
    "please first run `juju refresh` for this application and any related subordinates."
)


def set_application_base(invocation: Invocation, parsed: Parsed) -> None:
    """Give an application's next units a base, and its subordinates too."""
    if len(parsed.args) != 2:
        raise UsageError("application name and base required")
    name, base = parsed.args[0], bases.parse(parsed.args[1])
    with invocation.controller.lock:
        model = invocation.model
        changed = [model.application(name), *_subordinates(model, name)]
        for application in changed:
            supported = application.charm.bases
            if supported and base not in supported:
                raise JujuError(
                    f'base "{base}" not supported by charm "{application.charm.name}", '
                    f"supported bases are: {', '.join(supported)}"
                )
        for application in changed:
            application.base = base
    invocation.info(_HINT)


def _subordinates(model: Model, principal: str) -> list[Application]:
    units = model.applications[principal].units.values()
    found = {names.application_of(name) for unit in units for name in unit.subordinates}
    return [model.application(name) for name in sorted(found)]


COMMANDS = (
    Command(
        "set-application-base",
        set_application_base,
        "Gives an application's next units a base.",
        manners=frozenset({Manner.JUJU_3_6}),
    ),
)

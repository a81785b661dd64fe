"""juju resolved."""

from __future__ import annotations

from testbed.juju.cli.invocation import Command, Invocation
from testbed.juju.errors import JujuError, UsageError
from testbed.juju.flags import Flag, Parsed
from testbed.juju.state import names
from testbed.juju.state.model import NO_HOOKS, RETRY_HOOKS


def resolved(invocation: Invocation, parsed: Parsed) -> None:
    """Have failed hooks run again, or skipped. Refuse the units that are not in error."""
    if not parsed.args:
        raise UsageError("no unit specified")
    for name in parsed.args:
        if not names.is_unit(name):
            raise UsageError(f'unit name "{name}" not valid')
    mode = NO_HOOKS if parsed.on("no-retry") else RETRY_HOOKS
    refusals: list[str] = []
    with invocation.controller.lock:
        model = invocation.model
        for unit in [model.unit(name) for name in parsed.args]:
            if unit.in_error:
                unit.resolved = mode
            else:
                refusals.append(f'unit "{unit.name}" is not in an error state')
        invocation.controller.changed(model)
    if refusals:
        raise JujuError("\n".join(refusals))


COMMANDS = (
    Command(
        "resolved",
        resolved,
        "Runs the failed hooks of units again, or skips them.",
        (Flag("no-retry", "bool"),),
    ),
)

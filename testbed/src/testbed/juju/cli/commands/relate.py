"""juju integrate and remove-relation."""

from __future__ import annotations

from testbed.juju.cli.invocation import Command, Invocation
from testbed.juju.controller import relating
from testbed.juju.errors import JujuError, UnsupportedError, UsageError
from testbed.juju.flags import Parsed
from testbed.juju.state import endpoints
from testbed.juju.state.status import DYING


def integrate(invocation: Invocation, parsed: Parsed) -> None:
    if len(parsed.args) != 2:
        raise UsageError("an integration must involve two applications")
    _check(parsed.args)
    with invocation.controller.lock:
        model = invocation.model
        try:
            relating.integrate(model, *parsed.args)
        except relating.AlreadyExistsError as error:
            lines = "\n".join(str(error).split(": "))
            hint = "Use 'juju status --relations' to view the current relations."
            raise JujuError(f"{lines}: \n\n{hint}") from error
        invocation.controller.changed(model)


def remove_relation(invocation: Invocation, parsed: Parsed) -> None:
    if len(parsed.args) != 2:
        raise UsageError("a relation must involve two applications")
    _check(parsed.args)
    with invocation.controller.lock:
        model = invocation.model
        relating.find(model, *parsed.args).life = DYING
        invocation.controller.changed(model)


def _check(args: list[str]) -> None:
    for name in args:
        if "." in name:
            raise UnsupportedError(f'the cross-model endpoint "{name}"')
        endpoints.check_name(name)


COMMANDS = (
    Command("integrate", integrate, "Integrates two applications."),
    Command("remove-relation", remove_relation, "Removes a relation between two applications."),
)

"""`testbedctl faults`: what goes wrong between an application's hooks and the API server."""

from __future__ import annotations

import json

from testbed.faults.requests import KILL_AFTER, KILL_BEFORE, Fault
from testbed.juju.cli.invocation import Command, Invocation
from testbed.juju.errors import UsageError
from testbed.juju.flags import Flag, Parsed

_VERBS = "on, off, answer WHAT, kill, clear or requests"


def faults(invocation: Invocation, parsed: Parsed) -> None:
    verb, application, *rest = [*parsed.args, "", ""]
    intercepts, model = invocation.intercepts, invocation.model.uuid
    if not application:
        raise UsageError(f"give one of {_VERBS}, and an application")
    if verb == "on":
        intercepts.add(model, application)
    elif verb == "off":
        intercepts.remove(model, application)
    elif verb == "requests":
        invocation.print(json.dumps(intercepts.requests(model, application).report()))
    else:
        intercepts.requests(model, application).set(_fault(verb, rest[0], parsed))


def _fault(verb: str, what: str, parsed: Parsed) -> Fault | None:
    at = parsed.text("at-request", "1")
    number = int(at) if at.isdigit() else 0
    if verb == "answer":
        return Fault(what, number)
    if verb == "kill":
        return Fault(KILL_AFTER if parsed.on("after") else KILL_BEFORE, number)
    if verb == "clear":
        return None
    raise UsageError(f'give one of {_VERBS}, not "{verb}"')


COMMANDS = (
    Command(
        "faults", faults,
        "on|off APP: APP's hooks reach the API server through a proxy, from the next one on.\n"
        "                       answer APP WHAT --at-request N: of each hook; 403, html ….\n"
        "                       kill APP --at-request N [--after]: each hook, but no retry.\n"
        "                       clear APP: nothing goes wrong. requests APP: all, as JSON.",
        (Flag("at-request"), Flag("after", "bool")),
    ),
)  # fmt: skip

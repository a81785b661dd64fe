"""testbedctl faults: make requests of an application's hooks to the API server fail."""

from __future__ import annotations

import json

from testbed.faults.requests import Fault
from testbed.juju.cli.invocation import Command, Invocation
from testbed.juju.errors import UsageError
from testbed.juju.flags import Flag, Parsed

_VERBS = "on, off, answer WHAT, clear or requests"


def faults(invocation: Invocation, parsed: Parsed) -> None:
    verb, application, *rest = [*parsed.args, "", ""]
    intercepts, model = invocation.controller.intercepts, invocation.model.uuid
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
    if verb == "clear":
        return None
    if verb != "answer":
        raise UsageError(f'give one of {_VERBS}, not "{verb}"')
    method, _, path = parsed.text("request").partition(" ")
    return Fault(what, method, path)


COMMANDS = (
    Command(
        "faults", faults,
        "on|off APP: sends the requests of APP's hooks through a proxy, from the next hook on.\n"
        "                       answer APP WHAT --request \"METHOD PATH\": answers each such\n"
        "                       request with 403, html …; PATH is the end of its path.\n"
        "                       \"*\" is every request.\n"
        "                       clear APP: ends all faults. requests APP: prints all as JSON.",
        (Flag("request"),),
    ),
)  # fmt: skip

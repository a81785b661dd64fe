"""`testbedctl faults`: what goes wrong between an application's hooks and the API server."""

from __future__ import annotations

import json

from testbed.faults.ledger import KILL_AFTER, KILL_BEFORE, Fault
from testbed.juju.errors import UsageError
from testbed.juju.flags import Flag, Parsed
from testbed.juju.session import Command, Session

_VERBS = "on, off, answer WHAT, kill, clear or requests"


def faults(session: Session, parsed: Parsed) -> None:
    verb, application, *rest = [*parsed.args, "", ""]
    taps, model = session.controller.taps, session.model.uuid
    if not application:
        raise UsageError(f"give one of {_VERBS}, and an application")
    if verb == "on":
        taps.add(model, application)
    elif verb == "off":
        taps.remove(model, application)
    elif verb == "requests":
        session.print(json.dumps(taps.ledger(model, application).report()))
    else:
        taps.ledger(model, application).set(_fault(verb, rest[0], parsed))


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

"""testbedctl: commands that tests need and that the real juju does not have."""

from __future__ import annotations

import json
from functools import partial

from testbed.juju.cli.commands import authority, breakage, faults
from testbed.juju.cli.commands.parsing import wait_seconds
from testbed.juju.cli.invocation import Command, Invocation
from testbed.juju.errors import JujuError, UsageError
from testbed.juju.flags import Flag, Parsed

_SETTLE_SECONDS = 300.0


def _argument(parsed: Parsed, number: int, what: str) -> str:
    if len(parsed.args) <= number:
        raise UsageError(f"no {what} specified")
    return parsed.args[number]


def move_leader(invocation: Invocation, parsed: Parsed) -> None:
    with invocation.controller.lock:
        model = invocation.model
        unit = model.unit(_argument(parsed, 0, "unit"))
        model.applications[unit.application].leader = unit.name
        invocation.controller.changed(model)


def trigger(invocation: Invocation, parsed: Parsed) -> None:
    hook = _argument(parsed, 1, "hook")
    with invocation.controller.lock:
        model = invocation.model
        unit = model.unit(_argument(parsed, 0, "unit"))
        if hook != "update-status":
            raise UsageError(f'only update-status can be triggered, not "{hook}"')
        unit.update_status_version += 1
        invocation.controller.changed(model)


def hooks(invocation: Invocation, parsed: Parsed) -> None:
    with invocation.controller.lock:
        unit = _argument(parsed, 0, "unit")
        history = list(invocation.controller.history(invocation.model, unit))
    invocation.print(json.dumps(history))


def _set_agent(invocation: Invocation, parsed: Parsed, *, stopped: bool) -> None:
    with invocation.controller.lock:
        model = invocation.model
        unit = model.unit(_argument(parsed, 0, "unit"))
        unit.agent_stopped = stopped
        uniter = invocation.controller.uniter(model, unit)
        if stopped:
            uniter.kill()
        else:
            uniter.restarted()
        invocation.controller.changed(model)


def settle(invocation: Invocation, parsed: Parsed) -> None:
    timeout = wait_seconds(parsed.text("wait")) or _SETTLE_SECONDS
    controller = invocation.controller
    with controller.lock:
        model = invocation.model
        if not invocation.wait(lambda: controller.idle(model), timeout):
            raise JujuError(f"not settled after {timeout:.0f} s")


COMMANDS = (
    Command("move-leader", move_leader, "Makes UNIT the leader of its application."),
    Command("trigger", trigger, "UNIT update-status: runs that hook now."),
    Command("hooks", hooks, "Prints every hook that UNIT ran, as JSON."),
    Command(
        "stop-agent", partial(_set_agent, stopped=True),
        "Stops UNIT's agent: it runs no hooks and cannot lead.",
    ),
    Command("start-agent", partial(_set_agent, stopped=False), "Starts UNIT's agent again."),
    Command("settle", settle, "Waits until nothing runs or is due in the model.", (Flag("wait"),)),
    *authority.COMMANDS,
    *faults.COMMANDS,
    *breakage.COMMANDS,
)  # fmt: skip

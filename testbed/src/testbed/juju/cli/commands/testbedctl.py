"""testbedctl: commands that tests need and that the real juju does not have."""

from __future__ import annotations

import json
from functools import partial

from testbed.juju.cli.commands import authority, breakage, faults
from testbed.juju.cli.commands.parsing import wait_seconds
from testbed.juju.cli.invocation import Command, Invocation
from testbed.juju.errors import JujuError, UsageError
from testbed.juju.flags import Flag, Parsed
from testbed.juju.state import names
from testbed.juju.uniter.killing import Plan

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


def kill_hook(invocation: Invocation, parsed: Parsed) -> None:
    name, at = parsed.text("unit"), parsed.numbers("at-tool-call")
    if not names.is_unit(name) or not at:
        raise UsageError("give --unit UNIT and --at-tool-call N, counted from 1")
    plan = Plan(at, parsed.text("hook"))
    with invocation.controller.lock:
        invocation.controller.kills.set(invocation.model.uuid, name, plan)


def killed(invocation: Invocation, parsed: Parsed) -> None:
    with invocation.controller.lock:
        unit = _argument(parsed, 0, "unit")
        report = invocation.controller.kills.find(invocation.model.uuid, unit).report()
    invocation.print(json.dumps(report))


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
    Command(
        "kill-hook", kill_hook,
        "Kills every hook of a unit at its N-th hook-tool call. The unit need not exist\n"
        "                       yet. N,M kills a hook's first retry too, at its M-th call.\n"
        "                       Later retries are spared. --hook NAME spares other hooks.",
        (Flag("unit"), Flag("at-tool-call"), Flag("hook")),
    ),
    Command("killed", killed, "Prints what the last kill-hook of UNIT has killed, as JSON."),
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

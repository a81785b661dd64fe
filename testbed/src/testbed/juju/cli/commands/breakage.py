"""testbedctl break and mend: what the machines and pods of a model need fails, and works again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from testbed.faults.breakage import KINDS, Fault, Target
from testbed.juju.cli.invocation import Command, Invocation
from testbed.juju.errors import UsageError
from testbed.juju.flags import Parsed

_KINDS = ", ".join(KINDS)


def break_(invocation: Invocation, parsed: Parsed) -> None:
    if len(parsed.args) != 1:
        raise UsageError(f"give one of {_KINDS}")
    model, fault = invocation.model, Fault(parsed.args[0])
    with invocation.controller.lock:
        hosts: list[Any] = [machine.host for machine in model.machines.values() if machine.host]
    targets = [
        Target(host.address, host.settings.pod_cidr, Path(host.root), host.pid) for host in hosts
    ]
    if not targets:
        raise UsageError("the model has no machine")
    invocation.controller.intercepts.breakages.add(model.uuid, fault, targets)


def mend(invocation: Invocation, parsed: Parsed) -> None:
    kind, *_ = [*parsed.args, ""]
    invocation.controller.intercepts.breakages.mend(invocation.model.uuid, kind.partition(":")[0])


COMMANDS = (
    Command(
        "break", break_,
        f"WHAT: breaks one of {_KINDS}\n"
        "                       for the model's machines and pods. Clocks: those of Python.",
    ),
    Command("mend", mend, "[WHAT]: ends what `break` broke; without WHAT, all of it."),
)  # fmt: skip

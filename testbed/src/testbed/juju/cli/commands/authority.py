"""testbedctl authority: what a test asks of an authority that the original has no action for.

The charm defines an event for each request, named `testbed_` and the request. Its leader
dispatches that event among its hooks, as an operator can have any event dispatched with
`juju exec`, and prints what it did.
"""

from __future__ import annotations

import shlex

from testbed.juju.cli.commands.outcomes import enqueue
from testbed.juju.cli.invocation import Command, Invocation
from testbed.juju.errors import JujuError, UsageError
from testbed.juju.flags import Parsed

_SECONDS = 50.0  # less than the minute after which a test gives up


def authority(invocation: Invocation, parsed: Parsed) -> None:
    if not 2 <= len(parsed.args) <= 3:
        raise UsageError("give APPLICATION REQUEST [ARGUMENT]")
    application, request, *argument = parsed.args
    with invocation.controller.lock:
        leader = invocation.model.unit(f"{application}/leader")
        task = enqueue(invocation, leader, command=_command(request, *argument))
        if not invocation.wait(lambda: task.done, _SECONDS):
            raise JujuError(f"{task.target} has not done it after {_SECONDS:.0f} s")
    if task.failed:
        raise JujuError(task.message or str(task.results.get("stderr", "")).strip())
    if "stdout" not in task.results:
        raise JujuError(f'the charm of "{application}" knows no request "{request}"')
    invocation.print(str(task.results["stdout"]), end="")


def _command(request: str, argument: str = "") -> str:
    dispatch_path = shlex.quote(f"hooks/testbed-{request}")
    variables = f"JUJU_DISPATCH_PATH={dispatch_path} TESTBED_ARGUMENT={shlex.quote(argument)}"
    return f"{variables} ./dispatch"


COMMANDS = (
    Command(
        "authority", authority,
        "APPLICATION REQUEST [ARGUMENT]: easyrsa reissue or new-authority, vault unseal (prints\n"
        "                       a token), self-signed-certificates refuse CODE (or '').",
    ),
)  # fmt: skip

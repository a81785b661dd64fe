"""The command line: all commands, and the messages of their failures."""

from __future__ import annotations

from collections.abc import Sequence

from testbed.juju.cli.commands import (
    configure,
    deploy,
    execute,
    inspect,
    models,
    refresh,
    relate,
    remote,
    run,
    testbedctl,
    units,
)
from testbed.juju.cli.invocation import Command, Invocation
from testbed.juju.errors import HelpRequested, JujuError, SshError, UnsupportedError
from testbed.juju.flags import parse

_JUJU = (
    *configure.COMMANDS,
    *deploy.COMMANDS,
    *execute.COMMANDS,
    *inspect.COMMANDS,
    *models.COMMANDS,
    *refresh.COMMANDS,
    *relate.COMMANDS,
    *remote.COMMANDS,
    *run.COMMANDS,
    *units.COMMANDS,
)
PROGRAMS: dict[str, dict[str, Command]] = {
    program: {command.name: command for command in commands}
    for program, commands in (("juju", _JUJU), ("testbedctl", testbedctl.COMMANDS))
}


def main(invocation: Invocation, program: str, argv: Sequence[str]) -> int:
    """Run one command line and return its exit code."""
    try:
        return _run(invocation, program, argv)
    except SshError as error:
        invocation.info(str(error))
        return error.code
    except JujuError as error:
        invocation.info(f"ERROR {error}")
        return error.code


def _run(invocation: Invocation, program: str, argv: Sequence[str]) -> int:
    commands = PROGRAMS[program]
    if not argv or argv[0] in ("help", "--help", "-h"):
        invocation.print(_help(program))
        return 0
    name = argv[0]
    if name not in commands:
        raise UnsupportedError(f'"{program} {name}"')
    command = commands[name]
    try:
        parsed = parse(command.all_flags(), argv[1:], interspersed=command.interspersed)
    except HelpRequested:
        invocation.print(f"Usage: {program} {name} …\n\n{command.purpose}")
        return 0
    invocation.model_flag = parsed.text("model") if command.on_model else ""
    return command.run(invocation, parsed) or 0


def _help(program: str) -> str:
    lines = [
        f"  {name:<20} {command.purpose}" for name, command in sorted(PROGRAMS[program].items())
    ]
    return "\n".join([f"The testbed's {program}: a stand-in. Its commands:", "", *lines])

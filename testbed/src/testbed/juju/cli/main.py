"""The command line: which commands there are, and how their failures are told."""

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
from testbed.juju.errors import HelpRequested, JujuError, UnsupportedError, UsageError
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
    program: {name: command for command in commands for name in (command.name, *command.aliases)}
    for program, commands in (("juju", _JUJU), ("testbedctl", testbedctl.COMMANDS))
}
# Commands of juju 3.6 that this stand-in has not: they are told apart from misspellings.
ELSEWHERE = frozenset(
    [
        "add-cloud",
        "add-credential",
        "add-k8s",
        "add-machine",
        "add-secret",
        "add-secret-backend",
        "add-space",
        "add-ssh-key",
        "add-storage",
        "add-user",
        "agree",
        "agreements",
        "attach-resource",
        "attach-storage",
        "autoload-credentials",
        "bind",
        "bootstrap",
        "cancel-task",
        "change-user-password",
        "charm-resources",
        "clouds",
        "constraints",
        "consume",
        "controller-config",
        "controllers",
        "create-backup",
        "create-storage-pool",
        "credentials",
        "dashboard",
        "debug-code",
        "debug-hooks",
        "default-credential",
        "default-region",
        "destroy-controller",
        "detach-storage",
        "diff-bundle",
        "disable-command",
        "disable-user",
        "disabled-commands",
        "documentation",
        "download",
        "download-backup",
        "enable-command",
        "enable-destroy-controller",
        "enable-ha",
        "enable-user",
        "export-bundle",
        "expose",
        "find",
        "find-offers",
        "firewall-rules",
        "grant",
        "grant-cloud",
        "grant-secret",
        "help-hook-commands",
        "help-action-commands",
        "import-filesystem",
        "import-ssh-key",
        "info",
        "kill-controller",
        "list-machines",
        "login",
        "logout",
        "machines",
        "migrate",
        "model-constraints",
        "model-defaults",
        "model-secret-backend",
        "move-to-space",
        "offer",
        "offers",
        "operations",
        "payloads",
        "refresh-base",
        "regions",
        "register",
        "reload-spaces",
        "remove-cloud",
        "remove-credential",
        "remove-k8s",
        "remove-machine",
        "remove-offer",
        "remove-saas",
        "remove-secret",
        "remove-secret-backend",
        "remove-space",
        "remove-ssh-key",
        "remove-storage",
        "remove-storage-pool",
        "remove-unit-storage",
        "remove-user",
        "rename-space",
        "resolve-secret",
        "resources",
        "resume-relation",
        "retry-provisioning",
        "revoke",
        "revoke-cloud",
        "revoke-secret",
        "scale-application",
        "secret-backends",
        "secrets",
        "set-application-base",
        "set-constraints",
        "set-credential",
        "set-default-credentials",
        "set-default-region",
        "set-firewall-rule",
        "set-meter-status",
        "set-model-constraints",
        "show-action",
        "show-application",
        "show-cloud",
        "show-controller",
        "show-credential",
        "show-machine",
        "show-offer",
        "show-operation",
        "show-secret",
        "show-secret-backend",
        "show-space",
        "show-status-log",
        "show-storage",
        "show-user",
        "spaces",
        "ssh-keys",
        "storage",
        "storage-pools",
        "subnets",
        "suspend-relation",
        "sync-agent-binary",
        "unexpose",
        "unregister",
        "update-cloud",
        "update-credential",
        "update-k8s",
        "update-public-clouds",
        "update-secret",
        "update-secret-backend",
        "update-storage-pool",
        "upgrade-controller",
        "upgrade-machine",
        "upgrade-model",
        "users",
        "wait-for",
        "whoami",
    ]
)


def main(invocation: Invocation, program: str, argv: Sequence[str]) -> int:
    """Run one command line and return its exit code."""
    try:
        return _run(invocation, program, argv)
    except JujuError as error:
        invocation.error(f"ERROR {error}")
        return error.code


def _run(invocation: Invocation, program: str, argv: Sequence[str]) -> int:
    commands = PROGRAMS[program]
    if not argv or argv[0] in ("help", "--help", "-h"):
        invocation.print(_help(program))
        return 0
    if program == "juju" and argv[0] == "--version":
        argv = ["version"]
    name = argv[0]
    if name in ELSEWHERE and program == "juju":
        raise UnsupportedError(f'"juju {name}"')
    if name not in commands:
        raise UsageError(f'{program}: "{name}" is not a {program} command. See "{program} help".')
    command = commands[name]
    try:
        parsed = parse(command.all_flags(), argv[1:], interspersed=command.interspersed)
    except HelpRequested:
        invocation.print(f"Usage: {program} {name} …\n\n{command.purpose}")
        return 0
    invocation.quiet = parsed.on("quiet")
    invocation.model_flag = parsed.text("model") if command.on_model else ""
    return command.run(invocation, parsed) or 0


def _help(program: str) -> str:
    commands = sorted({command.name: command for command in PROGRAMS[program].values()}.items())
    lines = [f"  {name:<20} {command.purpose}" for name, command in commands]
    return "\n".join([f"The testbed's {program}: a stand-in. Its commands:", "", *lines])

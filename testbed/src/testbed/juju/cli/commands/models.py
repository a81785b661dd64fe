"""juju add-model, destroy-model, version."""

from __future__ import annotations

import json

from testbed.juju.cli.commands.configure import dump
from testbed.juju.cli.invocation import Command, Invocation
from testbed.juju.controller.controller import CLOUD, REGION, USER
from testbed.juju.errors import UnsupportedError, UsageError
from testbed.juju.flags import Flag, Parsed

_FORMAT = Flag("format")


def version(invocation: Invocation, parsed: Parsed) -> None:
    style = parsed.text("format", "smart")
    found = invocation.controller.manner.binary_version
    if parsed.on("all"):
        details = {"version": found, "git-commit": "", "git-tree-state": "testbed stand-in"}
        invocation.print(dump(details, style))
        return
    invocation.print(json.dumps(found) if style == "json" else found)


def add_model(invocation: Invocation, parsed: Parsed) -> None:
    if not parsed.args:
        raise UsageError("model name is required")
    if len(parsed.args) > 1:
        raise UnsupportedError(f'the cloud "{parsed.args[1]}"')
    if not parsed.on("no-switch"):
        raise UnsupportedError("add-model without --no-switch")
    name = parsed.args[0]
    invocation.controller.add_model(name)
    invocation.info(f"Added '{name}' model on {CLOUD}/{REGION} for user '{USER}'")


def destroy_model(invocation: Invocation, parsed: Parsed) -> None:
    if len(parsed.args) != 1:
        raise UsageError("no model specified")
    if not (parsed.on("force") and parsed.on("no-prompt")):
        raise UnsupportedError("destroy-model without --force and --no-prompt")
    controller = invocation.controller
    with controller.lock:
        model = controller.model(parsed.args[0])
    invocation.info("Destroying model")
    controller.destroy_model(model)
    invocation.info("Model destroyed.")


COMMANDS = (
    Command(
        "version", version, "Prints the version.", (_FORMAT, Flag("all", "bool")), on_model=False
    ),
    Command(
        "add-model", add_model, "Adds a model.",
        (Flag("no-switch", "bool"),), on_model=False,
    ),
    Command(
        "destroy-model", destroy_model, "Ends a model and everything in it.",
        (Flag("no-prompt", "bool"), Flag("force", "bool"), Flag("destroy-storage", "bool")),
        on_model=False,
    ),
)  # fmt: skip

"""juju add-model, destroy-model, switch, show-model, version."""

from __future__ import annotations

import json
from typing import Any

from testbed.juju.cli.commands.configure import dump, model_values
from testbed.juju.cli.commands.parsing import assignments
from testbed.juju.cli.invocation import Command, Invocation
from testbed.juju.cli.status import moment
from testbed.juju.controller.controller import CLOUD, CONTROLLER_NAME, REGION, USER
from testbed.juju.errors import JujuError, UnsupportedError, UsageError
from testbed.juju.flags import Flag, Parsed
from testbed.juju.state.model import Model

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
    name = parsed.args[0]
    config = model_values(assignments(invocation, parsed.all("config")))
    with invocation.controller.lock:
        invocation.controller.add_model(name).config |= config
    if not parsed.on("no-switch"):
        invocation.current_model = name
    invocation.info(f"Added '{name}' model on {CLOUD}/{REGION} for user '{USER}'")


def destroy_model(invocation: Invocation, parsed: Parsed) -> None:
    if len(parsed.args) != 1:
        raise UsageError("no model specified")
    if not parsed.on("force"):
        raise UnsupportedError("destroy-model without --force")
    controller = invocation.controller
    with controller.lock:
        model = controller.model(parsed.args[0])
    if not parsed.on("no-prompt"):
        invocation.error(f'WARNING! This command will destroy the "{model.name}" model.')
        if not invocation.ask("\nContinue [y/N]? "):
            raise JujuError("model destruction: aborted")
    invocation.info("Destroying model")
    controller.destroy_model(model)
    invocation.info("Model destroyed.")


def switch(invocation: Invocation, parsed: Parsed) -> None:
    if not parsed.args:
        invocation.print(f"{CONTROLLER_NAME}:{USER}/{invocation.current_model}")
        return
    with invocation.controller.lock:
        name = invocation.controller.model(parsed.args[0]).name
    if overriding := invocation.env.get("JUJU_MODEL"):
        raise JujuError(
            f'cannot switch when JUJU_MODEL is overriding the model (set to "{overriding}")'
        )
    before, invocation.current_model = invocation.current_model, name
    prefix = f"{CONTROLLER_NAME}:{USER}/"
    invocation.info(f"{prefix}{before} -> {prefix}{name}")


def show_model(invocation: Invocation, parsed: Parsed) -> None:
    controller = invocation.controller
    with controller.lock:
        model = controller.model(parsed.args[0]) if parsed.args else invocation.model
        report = {model.name: info(model)}
    invocation.print(dump(report, parsed.text("format", "yaml")))


def info(model: Model) -> dict[str, Any]:
    """Return a model as `juju show-model` describes it."""
    return {
        "name": f"{USER}/{model.name}",
        "short-name": model.name,
        "model-uuid": model.uuid,
        "model-type": "iaas",
        "controller-uuid": "00000000-0000-4000-8000-000000000000",
        "controller-name": CONTROLLER_NAME,
        "is-controller": False,
        "owner": USER,
        "cloud": CLOUD,
        "region": REGION,
        "type": "testbed",
        "life": model.life,
        "status": {"current": "available", "since": moment(model.created)},
        "users": {USER: {"display-name": USER, "access": "admin", "last-connection": "just now"}},
        "machines": {number: {"cores": 0} for number in model.machines},
        "agent-version": model.manner.version,
    }


COMMANDS = (
    Command(
        "version", version, "Prints the version.", (_FORMAT, Flag("all", "bool")), on_model=False
    ),
    Command(
        "add-model", add_model, "Adds a model.",
        (Flag("no-switch", "bool"), Flag("config", "list")), on_model=False,
    ),
    Command(
        "destroy-model", destroy_model, "Ends a model and everything in it.",
        (Flag("no-prompt", "bool"), Flag("force", "bool"), Flag("destroy-storage", "bool")),
        on_model=False,
    ),
    Command("switch", switch, "Shows or selects the current model.", on_model=False),
    Command("show-model", show_model, "Shows a model.", (_FORMAT,)),
)  # fmt: skip

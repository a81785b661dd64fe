"""juju add-model, destroy-model, models, switch, show-model, version."""

from __future__ import annotations

import json
from typing import Any

from testbed.juju.assumes import JUJU_VERSION
from testbed.juju.commands.configure import dump, model_values
from testbed.juju.commands.parsing import assignments
from testbed.juju.controller import CLOUD, CONTROLLER_NAME, REGION, USER
from testbed.juju.errors import JujuError, UsageError
from testbed.juju.flags import Flag, Parsed
from testbed.juju.lifecycle import destroy_application
from testbed.juju.model import Model
from testbed.juju.session import Command, Session
from testbed.juju.status import moment
from testbed.juju.tabular import table

FULL_VERSION = f"{JUJU_VERSION}-ubuntu-amd64"
_FORMAT, _CONTROLLER = Flag("format"), Flag("controller", aliases=("c",))


def version(session: Session, parsed: Parsed) -> None:
    style = parsed.text("format", "smart")
    if parsed.on("all"):
        details = {"version": FULL_VERSION, "git-commit": "", "git-tree-state": "testbed stand-in"}
        session.print(dump(details, style))
        return
    session.print(json.dumps(FULL_VERSION) if style == "json" else FULL_VERSION)


def add_model(session: Session, parsed: Parsed) -> None:
    if not parsed.args:
        raise UsageError("model name is required")
    if len(parsed.args) > 2 or (len(parsed.args) == 2 and parsed.args[1] not in _CLOUDS):
        raise JujuError(
            f'cloud or region "{parsed.args[-1]}" not found: this testbed has {CLOUD}/{REGION}'
        )
    if parsed.text("controller") not in ("", CONTROLLER_NAME):
        raise JujuError(f"controller {parsed.text('controller')} not found")
    name = parsed.args[0]
    config = model_values(assignments(session, parsed.all("config")))
    with session.controller.lock:
        session.controller.add_model(name).config |= config
    if not parsed.on("no-switch"):
        session.current_model = name
    session.info(f"Added '{name}' model on {CLOUD}/{REGION} for user '{USER}'")


_CLOUDS = (CLOUD, f"{CLOUD}/{REGION}")


def destroy_model(session: Session, parsed: Parsed) -> None:
    if len(parsed.args) != 1:
        raise UsageError("no model specified")
    controller = session.controller
    with controller.lock:
        model = controller.model(parsed.args[0])
    if not parsed.on("no-prompt"):
        session.error(f'WARNING! This command will destroy the "{model.name}" model.')
        if not session.ask("\nContinue [y/N]? "):
            raise JujuError("model destruction: aborted")
    session.info("Destroying model")
    if not parsed.on("force"):
        _empty(session, model)
    controller.destroy_model(model)
    session.info("Model destroyed.")


def _empty(session: Session, model: Model) -> None:
    """Let every application go as `remove-application` does, and wait for that."""
    with session.controller.lock:
        for application in list(model.applications.values()):
            destroy_application(model, application)
        session.controller.changed(model)
        if not session.wait(lambda: not model.applications):
            raise JujuError("model destruction: interrupted")


def models(session: Session, parsed: Parsed) -> None:
    with session.controller.lock:
        everyone = sorted(session.controller.models.values(), key=lambda model: model.name)
        entries = [_entry(model) for model in everyone]
    style = parsed.text("format", "tabular")
    if style != "tabular":
        report = {"models": entries, "current-model": session.current_model}
        session.print(dump(report, style))
        return
    rows = [
        [
            entry["short-name"] + ("*" if entry["short-name"] == session.current_model else ""),
            f"{CLOUD}/{REGION}",
            "testbed",
            entry["status"]["current"],
            str(len(entry["machines"])),
            str(entry["units"]),
            "admin",
        ]
        for entry in entries
    ]
    header = ["Model", "Cloud/Region", "Type", "Status", "Machines", "Units", "Access"]
    session.print(f"Controller: {CONTROLLER_NAME}\n\n{table([header, *rows])}")


def _entry(model: Model) -> dict[str, Any]:
    return {**info(model), "units": sum(1 for _ in model.units())}


def switch(session: Session, parsed: Parsed) -> None:
    if not parsed.args:
        session.print(f"{CONTROLLER_NAME}:{USER}/{session.current_model}")
        return
    with session.controller.lock:
        name = session.controller.model(parsed.args[0]).name
    if overriding := session.env.get("JUJU_MODEL"):
        raise JujuError(
            f'cannot switch when JUJU_MODEL is overriding the model (set to "{overriding}")'
        )
    before, session.current_model = session.current_model, name
    prefix = f"{CONTROLLER_NAME}:{USER}/"
    session.info(f"{prefix}{before} -> {prefix}{name}")


def show_model(session: Session, parsed: Parsed) -> None:
    controller = session.controller
    with controller.lock:
        model = controller.model(parsed.args[0]) if parsed.args else session.model
        report = {model.name: info(model)}
    session.print(dump(report, parsed.text("format", "yaml")))


def info(model: Model) -> dict[str, Any]:
    """A model as `juju show-model` describes it."""
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
        "agent-version": JUJU_VERSION,
    }


COMMANDS = (
    Command(
        "version", version, "Prints the version.", (_FORMAT, Flag("all", "bool")), on_model=False
    ),
    Command(
        "add-model", add_model, "Adds a model.",
        (_CONTROLLER, Flag("no-switch", "bool"), Flag("config", "list")), on_model=False,
    ),
    Command(
        "destroy-model", destroy_model, "Ends a model and everything in it.",
        (Flag("no-prompt", "bool"), Flag("force", "bool"), Flag("no-wait", "bool"),
         Flag("destroy-storage", "bool"), Flag("release-storage", "bool"),
         Flag("timeout", aliases=("t",))),
        on_model=False,
    ),
    Command(
        "models", models, "Lists models.", (_FORMAT, _CONTROLLER), ("list-models",),
        on_model=False,
    ),
    Command("switch", switch, "Shows or selects the current model.", on_model=False),
    Command("show-model", show_model, "Shows a model.", (_FORMAT,)),
)  # fmt: skip

"""juju refresh."""

from __future__ import annotations

from testbed.juju.cli.commands.sources import origin
from testbed.juju.cli.invocation import Command, Invocation
from testbed.juju.controller import deploying
from testbed.juju.controller.store import Source
from testbed.juju.errors import JujuError, UsageError
from testbed.juju.flags import Flag, Parsed
from testbed.juju.state.model import Application, Model


def refresh(invocation: Invocation, parsed: Parsed) -> None:
    if len(parsed.args) != 1:
        raise UsageError("no application specified" if not parsed.args else "too many arguments")
    with invocation.controller.lock:
        model = invocation.model
        application = model.application(parsed.args[0])
        source = _new_source(invocation, model, application, parsed)
        if source is None:
            invocation.info(f'charm "{application.charm.name}": already up-to-date')
            return
        deploying.refresh(invocation.controller, model, application, source)
    invocation.info(f"Added {origin(source)}, to the model")


def _new_source(
    invocation: Invocation, model: Model, application: Application, parsed: Parsed
) -> Source | None:
    """Return the charm to refresh to, or None if the application runs it already."""
    channel = parsed.text("channel") or application.channel
    if path := parsed.text("path"):
        return deploying.local_source(invocation.controller, model, invocation.path(path))
    if application.origin == "local":
        raise JujuError(
            f'application "{application.name}" was deployed from a local charm: '
            "give the new one with --path"
        )
    found = invocation.controller.store.charm(application.charm.name, channel)
    return None if found.charm.digest == application.charm.digest else found


COMMANDS = (
    Command(
        "refresh",
        refresh,
        "Puts a newer charm in the place of an application's.",
        (Flag("channel"), Flag("path")),
    ),
)

"""juju refresh."""

from __future__ import annotations

from testbed.juju import deploying
from testbed.juju.commands.parsing import config_of, option_texts
from testbed.juju.commands.sources import is_local, origin
from testbed.juju.deploying import Source
from testbed.juju.errors import JujuError, UsageError
from testbed.juju.flags import Flag, Parsed
from testbed.juju.model import Application, Model
from testbed.juju.session import Command, Session


def refresh(session: Session, parsed: Parsed) -> None:
    if len(parsed.args) != 1:
        raise UsageError("no application specified" if not parsed.args else "too many arguments")
    path, switch = parsed.text("path"), parsed.text("switch")
    if path and switch:
        raise UsageError("--switch and --path are mutually exclusive")
    with session.controller.lock:
        model = session.model
        application = model.application(parsed.args[0])
        source = _new_source(session, model, application, parsed)
        if source is None:
            session.info(f'charm "{application.charm.name}": already up-to-date')
            return
        texts = option_texts(session, parsed.all("config"), application.name)
        config = config_of(source.charm.options, texts)
        force = parsed.on("force")
        deploying.refresh(
            session.controller,
            model,
            application,
            source,
            force_base=force or parsed.on("force-base"),
            force_units=force or parsed.on("force-units"),
            switch=bool(switch),
        )
        application.config.update(config)
        application.trust = application.trust or parsed.on("trust")
        session.controller.changed(model)
    session.info(f"Added {origin(source)}, to the model")


def _new_source(
    session: Session, model: Model, application: Application, parsed: Parsed
) -> Source | None:
    """The charm to refresh to; None when the application already runs it."""
    path, switch = parsed.text("path"), parsed.text("switch")
    channel = parsed.text("channel") or application.channel
    if path or is_local(switch):
        return deploying.local_source(session.controller, model, session.path(path or switch))
    if switch:
        return deploying.source_of(session.controller, model, switch, channel)
    if application.origin == "local":
        raise JujuError(
            f'application "{application.name}" was deployed from a local charm: '
            "give the new one with --path"
        )
    found = deploying.source_of(session.controller, model, application.charm.name, channel)
    return None if found.charm.digest == application.charm.digest else found


COMMANDS = (
    Command(
        "refresh",
        refresh,
        "Puts a newer charm in the place of an application's.",
        (Flag("channel"), Flag("config", "list"), Flag("path"), Flag("switch"),
         Flag("trust", "bool"), Flag("force", "bool"), Flag("force-base", "bool"),
         Flag("force-units", "bool")),
        aliases=("upgrade-charm",),
    ),
)  # fmt: skip

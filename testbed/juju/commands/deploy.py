"""juju deploy, refresh, add-unit, remove-unit, remove-application, resolved."""

from __future__ import annotations

from testbed.juju import bundle, deploying, lifecycle, names, relating
from testbed.juju.commands.parsing import config_of, option_texts, placements
from testbed.juju.deploying import Request, Source
from testbed.juju.errors import JujuError, UsageError
from testbed.juju.flags import Flag, Parsed
from testbed.juju.model import Application, Model, Unit
from testbed.juju.session import Command, Session
from testbed.juju.settings import check_value

_CHANNEL, _CONFIG, _BASE = Flag("channel"), Flag("config", "list"), Flag("base")
_NUMBER, _TO = Flag("num-units", aliases=("n",)), Flag("to")
_FORCE, _NO_PROMPT = Flag("force", "bool"), Flag("no-prompt", "bool")
_REMOVAL = (_FORCE, _NO_PROMPT, Flag("no-wait", "bool"), Flag("destroy-storage", "bool"))


def deploy(session: Session, parsed: Parsed) -> None:
    if not parsed.args:
        raise UsageError("no charm or bundle specified")
    if len(parsed.args) > 2:
        raise UsageError(f'unrecognized args: ["{parsed.args[2]}"]')
    texts = _bundle_texts(session, parsed)
    if texts is not None:
        _deploy_bundle(session, parsed, texts)
        return
    if parsed.all("overlay"):
        raise JujuError("flags provided but not supported when deploying a charm: --overlay.")
    with session.controller.lock:
        source = _source(session, session.model, parsed.args[0], parsed.text("channel"))
        _deploy_charm(session, parsed, source)


def _deploy_charm(session: Session, parsed: Parsed, source: Source) -> None:
    charm, model = source.charm, session.model
    units, to = int(parsed.text("num-units", "1")), placements(parsed)
    if charm.subordinate and ("num-units" in parsed.values or to):
        raise JujuError("cannot use --num-units or --to with subordinate application")
    if len(to) > units:
        raise UsageError("cannot use --to with more placements than units")
    application = parsed.args[1] if len(parsed.args) > 1 else charm.name
    texts = option_texts(session, parsed.all("config"), application)
    trust = parsed.on("trust") or str(texts.pop("trust", "")).lower() == "true"
    request = Request(
        source=source,
        application=application,
        base=parsed.text("base"),
        units=units,
        to=to,
        config=config_of(charm.options, texts),
        trust=trust,
        force=parsed.on("force"),
    )
    session.info(_located(source))
    deployed = deploying.deploy(session.controller, model, request)
    session.info(f'Deploying "{application}" from {_origin(source)} on {deployed.base}/stable')


def _located(source: Source) -> str:
    if source.origin == "local":
        return f'Located local charm "{source.charm.name}", revision {source.revision}'
    return f'Located charm "{source.charm.name}" in charm-hub, revision {source.revision}'


def _origin(source: Source) -> str:
    kind = "local charm" if source.origin == "local" else "charm-hub charm"
    channel = f" in channel {source.channel}" if source.channel else ""
    return f'{kind} "{source.charm.name}", revision {source.revision}{channel}'


def _is_local(name: str) -> bool:
    return name.startswith((".", "/"))


def _source(session: Session, model: Model, name: str, channel: str) -> Source:
    controller = session.controller
    if _is_local(name):
        return deploying.local_source(controller, model, session.path(name))
    if "/" in name or name.endswith((".charm", ".yaml")):
        raise JujuError(
            f'The charm or bundle "{name}" is ambiguous.\n'
            f"To deploy a local charm or bundle, run `juju deploy ./{name}`."
        )
    return deploying.source_of(controller, model, name.removeprefix("ch:"), channel)


def _bundle_texts(session: Session, parsed: Parsed) -> list[tuple[str, str]] | None:
    """The bundle and its overlays, if a bundle is what is to be deployed."""
    name = parsed.args[0]
    if _is_local(name):
        if not name.endswith((".yaml", ".yml")):
            return None
        first = (name, session.read(name))
    else:
        path = session.controller.store.bundle(name)
        if path is None:
            return None
        first = (str(path), path.read_text())
    return [first, *((overlay, session.read(overlay)) for overlay in parsed.all("overlay"))]


def _deploy_bundle(session: Session, parsed: Parsed, texts: list[tuple[str, str]]) -> None:
    for flag in ("config", "num-units", "to", "base"):
        if flag in parsed.values:
            raise JujuError(f"flags provided but not supported when deploying a bundle: --{flag}.")
    wanted = bundle.load(texts)
    with session.controller.lock:
        model, machines = session.model, {}
        channel = parsed.text("channel")
        sources = {
            application.name: _bundle_source(session, model, application, channel)
            for application in wanted.applications
        }
        session.info(f'Located bundle "{parsed.args[0]}" in charm-hub\nExecuting changes:')
        for application in wanted.applications:
            source = sources[application.name]
            session.info(f"- deploy application {application.name} from {_origin(source)}")
            _deploy_member(session, model, application, source, machines)
        for first, second in wanted.relations:
            _relate(session, model, first, second)
        session.controller.changed(model)
    session.info("Deploy of bundle completed.")


def _bundle_source(
    session: Session, model: Model, member: bundle.BundleApplication, channel: str
) -> Source:
    """A member's charm: its own channel, else the track that the bundle was asked for."""
    wanted = member.channel or (channel if not _is_local(member.charm) else "")
    try:
        return _source(session, model, member.charm, wanted)
    except JujuError as error:
        raise JujuError(f'cannot deploy bundle: application "{member.name}": {error}') from error


def _deploy_member(
    session: Session,
    model: Model,
    member: bundle.BundleApplication,
    source: Source,
    machines: dict[str, str],
) -> None:
    options = {
        name: check_value(source.charm.options, name, value)
        for name, value in member.options.items()
    }
    existing = model.applications.get(member.name)
    if existing is not None:
        existing.config.update(options)
        return
    subordinate = source.charm.subordinate
    if subordinate and member.num_units:
        raise JujuError(
            f'cannot deploy bundle: "{member.name}" is a subordinate and has num_units'
        )
    request = Request(
        source=source,
        application=member.name,
        base=choose(member.base, source),
        units=0 if subordinate else member.num_units or 0,
        config=options,
        trust=member.trust,
        exposed=member.expose,
    )
    application = deploying.deploy(
        session.controller, model, _placed(model, request, member, machines)
    )
    _remember(application, member, machines)


def choose(base: str, source: Source) -> str:
    """A bundle's default base counts for the charms that have it."""
    supported = not source.charm.bases or base.partition("/")[0] in source.charm.bases
    return base if supported else ""


def _placed(
    model: Model, request: Request, member: bundle.BundleApplication, machines: dict[str, str]
) -> Request:
    """`to:` of a bundle: a machine of the bundle, a unit, or the unit of an application."""
    to = []
    for target in member.to:
        if names.is_application(target) and target != "new":
            to.append(f"{target}/{len(to)}")
        else:
            to.append(machines.get(target, "new") if names.is_machine(target) else target)
    return Request(**{**request.__dict__, "to": tuple(to)})


def _remember(
    application: Application, member: bundle.BundleApplication, machines: dict[str, str]
) -> None:
    for target, unit in zip(member.to, application.units.values()):
        if names.is_machine(target):
            machines[target] = unit.machine.id


def _relate(session: Session, model: Model, first: str, second: str) -> None:
    try:
        relating.integrate(model, first, second)
    except relating.AlreadyExistsError:
        return
    except JujuError as error:
        raise JujuError(f"cannot deploy bundle: {error}") from error
    session.info(f"- add relation {first} - {second}")


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
    session.info(f"Added {_origin(source)}, to the model")


def _new_source(
    session: Session, model: Model, application: Application, parsed: Parsed
) -> Source | None:
    """The charm to refresh to; None when the application already runs it."""
    path, switch = parsed.text("path"), parsed.text("switch")
    channel = parsed.text("channel") or application.channel
    if path or _is_local(switch):
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


def add_unit(session: Session, parsed: Parsed) -> None:
    if len(parsed.args) != 1:
        raise UsageError("no application specified" if not parsed.args else "too many arguments")
    count = int(parsed.text("num-units", "1"))
    if count < 1:
        raise UsageError("--num-units must be a positive integer")
    with session.controller.lock:
        model = session.model
        application = model.application(parsed.args[0])
        machines = deploying.targets(model, placements(parsed), count)
        deploying.add_units(session.controller, model, application, count, machines)


def remove_unit(session: Session, parsed: Parsed) -> None:
    if not parsed.args:
        raise UsageError("no units specified")
    for name in parsed.args:
        if not names.is_unit(name):
            raise UsageError(f'invalid unit name "{name}"')
    with session.controller.lock:
        units = [session.model.unit(name) for name in parsed.args]
        for unit in units:
            if unit.principal:
                raise JujuError(
                    f'unit "{unit.name}" is a subordinate, to remove use remove-relation. '
                    f'Note: this will remove all units of "{unit.application}"'
                )
    if not _agreed(session, parsed, [f"will remove unit {unit.name}" for unit in units]):
        return
    with session.controller.lock:
        for unit in units:
            session.info(f"removing unit {unit.name}")
            lifecycle.destroy_unit(session.model, unit)
        session.controller.changed(session.model)
        if parsed.on("force"):
            _force(session, units)


def remove_application(session: Session, parsed: Parsed) -> None:
    if not parsed.args:
        raise UsageError("no application specified")
    with session.controller.lock:
        applications = [session.model.application(name) for name in parsed.args]
        lines = [f"will remove application {application.name}" for application in applications]
        lines += [f"- will remove unit {unit}" for app in applications for unit in app.units]
    if not _agreed(session, parsed, lines):
        return
    with session.controller.lock:
        for application in applications:
            session.info(f"removing application {application.name}")
            units = list(application.units.values())
            lifecycle.destroy_application(session.model, application)
            session.controller.changed(session.model)
            if parsed.on("force"):
                _force(session, units)


def _agreed(session: Session, parsed: Parsed, lines: list[str]) -> bool:
    if parsed.on("no-prompt"):
        return True
    session.error("WARNING This command will perform the following actions:")
    for line in lines:
        session.error(line)
    if session.ask("\nContinue [y/N]? "):
        return True
    raise JujuError("removal: aborted")


def _force(session: Session, units: list[Unit]) -> None:
    """Take units away with no more hooks run, their subordinates first."""
    model = session.model
    everyone = [model.find_unit(name) for unit in units for name in unit.subordinates]
    for unit in [*filter(None, everyone), *units]:
        if model.find_unit(unit.name) is unit:
            session.controller.remove_now(model, unit)
    session.controller.changed(model)


def resolved(session: Session, parsed: Parsed) -> None:
    if not parsed.args and not parsed.on("all"):
        raise UsageError("no unit specified")
    with session.controller.lock:
        model = session.model
        units = (
            [unit for unit in model.units() if unit.local.failed]
            if parsed.on("all")
            else [model.unit(name) for name in parsed.args]
        )
        for unit in units:
            if unit.local.failed is None:
                raise JujuError(f'unit "{unit.name}" is not in an error state')
            unit.resolved = "skip" if parsed.on("no-retry") else "retry"
        session.controller.changed(model)


COMMANDS = (
    Command(
        "deploy",
        deploy,
        "Deploys a charm or a bundle with overlays.",
        (_CHANNEL, _CONFIG, _BASE, _NUMBER, _TO, Flag("trust", "bool"), _FORCE,
         Flag("overlay", "list")),
    ),
    Command(
        "refresh",
        refresh,
        "Puts a newer charm in the place of an application's.",
        (_CHANNEL, _CONFIG, Flag("path"), Flag("switch"), Flag("trust", "bool"), _FORCE,
         Flag("force-base", "bool"), Flag("force-units", "bool")),
        aliases=("upgrade-charm",),
    ),
    Command("add-unit", add_unit, "Adds units to an application.", (_NUMBER, _TO)),
    Command("remove-unit", remove_unit, "Removes units.", _REMOVAL),
    Command("remove-application", remove_application, "Removes applications.", _REMOVAL),
    Command(
        "resolved",
        resolved,
        "Marks a unit in error as resolved, and runs its hook again.",
        (Flag("no-retry", "bool"), Flag("all", "bool")),
        aliases=("resolve",),
    ),
)  # fmt: skip

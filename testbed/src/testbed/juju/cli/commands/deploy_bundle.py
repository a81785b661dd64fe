"""juju deploy of a bundle with overlays."""

from __future__ import annotations

from testbed.juju.cli import bundle
from testbed.juju.cli.bundle import BundleApplication
from testbed.juju.cli.commands.sources import origin, source
from testbed.juju.cli.invocation import Invocation
from testbed.juju.controller import deploying, relating
from testbed.juju.controller.deploying import Request
from testbed.juju.controller.store import Source
from testbed.juju.errors import JujuError
from testbed.juju.flags import Parsed
from testbed.juju.state.model import Model
from testbed.juju.state.settings import typed


def deploy(invocation: Invocation, parsed: Parsed, texts: list[tuple[str, str]]) -> None:
    for flag in ("config", "num-units", "to", "base"):
        if flag in parsed.values:
            raise JujuError(f"flags provided but not supported when deploying a bundle: --{flag}.")
    wanted = bundle.load(texts)
    with invocation.controller.lock:
        model, machines = invocation.model, {}
        channel = parsed.text("channel")
        found = [
            (member, _charm(invocation, model, member, channel)) for member in wanted.applications
        ]
        for member, charm in found:
            invocation.info(f"- deploy application {member.name} from {origin(charm)}")
            _deploy_member(invocation, model, member, charm, machines)
        for first, second in wanted.relations:
            _relate(invocation, model, first, second)
        invocation.controller.changed(model)
    invocation.info("Deploy of bundle completed.")


def _charm(
    invocation: Invocation, model: Model, member: BundleApplication, channel: str
) -> Source:
    """Return an application's charm, from its own channel or else the bundle's."""
    try:
        return source(invocation, model, member.charm, member.channel or channel)
    except JujuError as error:
        raise JujuError(f'cannot deploy bundle: application "{member.name}": {error}') from error


def _deploy_member(
    invocation: Invocation,
    model: Model,
    member: BundleApplication,
    found: Source,
    machines: dict[str, str],
) -> None:
    """Deploy an application, on the machines that the bundle's numbers stand for so far."""
    options = typed(found.charm.options, member.options)
    existing = model.applications.get(member.name)
    if existing is not None:
        existing.config.update(options)
        return
    subordinate = found.charm.subordinate
    if subordinate and member.num_units:
        raise JujuError(
            f'cannot deploy bundle: "{member.name}" is a subordinate and has num_units'
        )
    request = Request(
        source=found,
        application=member.name,
        base=_base(member.base, found),
        units=0 if subordinate else member.num_units,
        to=tuple(machines.get(target, "new") for target in member.to),
        config=options,
    )
    application = deploying.deploy(invocation.controller, model, request)
    for target, unit in zip(member.to, application.units.values(), strict=False):
        machines[target] = unit.machine.id


def _base(base: str, found: Source) -> str:
    """Return the bundle's default base if the charm supports it."""
    supported = not found.charm.bases or base.partition("/")[0] in found.charm.bases
    return base if supported else ""


def _relate(invocation: Invocation, model: Model, first: str, second: str) -> None:
    try:
        relating.integrate(model, first, second)
    except relating.AlreadyExistsError:
        return
    except JujuError as error:
        raise JujuError(f"cannot deploy bundle: {error}") from error
    invocation.info(f"- add relation {first} - {second}")

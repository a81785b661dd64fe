"""juju deploy of a bundle with overlays."""

from __future__ import annotations

from dataclasses import replace

from testbed.juju.cli import bundle
from testbed.juju.cli.bundle import BundleApplication
from testbed.juju.cli.commands.sources import is_local, origin, source
from testbed.juju.cli.invocation import Invocation
from testbed.juju.controller import deploying, relating
from testbed.juju.controller.deploying import Request, Source
from testbed.juju.errors import JujuError
from testbed.juju.flags import Parsed
from testbed.juju.state import names
from testbed.juju.state.model import Application, Model
from testbed.juju.state.settings import check_value


def deploy(invocation: Invocation, parsed: Parsed, texts: list[tuple[str, str]]) -> None:
    for flag in ("config", "num-units", "to", "base"):
        if flag in parsed.values:
            raise JujuError(f"flags provided but not supported when deploying a bundle: --{flag}.")
    wanted = bundle.load(texts)
    with invocation.controller.lock:
        model, machines = invocation.model, {}
        channel = parsed.text("channel")
        found = [
            (member, _charm(invocation, model, member, channel)) for member in _ordered(wanted)
        ]
        invocation.info(_located(parsed.args[0]))
        for member, charm in found:
            invocation.info(f"- deploy application {member.name} from {origin(charm)}")
            _deploy_member(invocation, model, member, charm, machines)
        for first, second in wanted.relations:
            _relate(invocation, model, first, second)
        invocation.controller.changed(model)
    invocation.info("Deploy of bundle completed.")


def _located(name: str) -> str:
    what = f'local bundle "{name}"' if is_local(name) else f'bundle "{name}" in charm-hub'
    return f"Located {what}\nExecuting changes:"


def _ordered(wanted: bundle.Bundle) -> list[BundleApplication]:
    """Return the applications, with those that are placed beside units of others last."""
    return sorted(wanted.applications, key=lambda member: any(map(_names_unit, member.to)))


def _names_unit(target: str) -> bool:
    return target != "new" and (names.is_unit(target) or names.is_application(target))


def _charm(
    invocation: Invocation, model: Model, member: BundleApplication, channel: str
) -> Source:
    """Return an application's charm, from its own channel or else the bundle's."""
    wanted = member.channel or (channel if not is_local(member.charm) else "")
    try:
        return source(invocation, model, member.charm, wanted)
    except JujuError as error:
        raise JujuError(f'cannot deploy bundle: application "{member.name}": {error}') from error


def _deploy_member(
    invocation: Invocation,
    model: Model,
    member: BundleApplication,
    found: Source,
    machines: dict[str, str],
) -> None:
    options = {
        name: check_value(found.charm.options, name, value)
        for name, value in member.options.items()
    }
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
        units=0 if subordinate else member.num_units or 0,
        config=options,
    )
    application = deploying.deploy(
        invocation.controller, model, _placed(request, member, machines)
    )
    _remember(application, member, machines)


def _base(base: str, found: Source) -> str:
    """Return the bundle's default base if the charm supports it."""
    supported = not found.charm.bases or base.partition("/")[0] in found.charm.bases
    return base if supported else ""


def _placed(request: Request, member: BundleApplication, machines: dict[str, str]) -> Request:
    """Return the request with its placements: machines of the bundle, units, applications."""
    to = []
    for target in member.to:
        if names.is_application(target) and target != "new":
            to.append(f"{target}/{len(to)}")
        else:
            to.append(machines.get(target, "new") if names.is_machine(target) else target)
    return replace(request, to=tuple(to))


def _remember(
    application: Application, member: BundleApplication, machines: dict[str, str]
) -> None:
    for target, unit in zip(member.to, application.units.values(), strict=False):
        if names.is_machine(target):
            machines[target] = unit.machine.id


def _relate(invocation: Invocation, model: Model, first: str, second: str) -> None:
    try:
        relating.integrate(model, first, second)
    except relating.AlreadyExistsError:
        return
    except JujuError as error:
        raise JujuError(f"cannot deploy bundle: {error}") from error
    invocation.info(f"- add relation {first} - {second}")

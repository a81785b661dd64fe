"""Deploy and refresh applications.

The functions are called under the controller's lock, and raise JujuError.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from testbed.juju.controller import relating
from testbed.juju.controller.controller import Controller
from testbed.juju.controller.lifecycle import add_unit, join_untold
from testbed.juju.controller.store import Source
from testbed.juju.errors import JujuError, UnsupportedError, UsageError
from testbed.juju.manner import Manner
from testbed.juju.state import bases, endpoints, names
from testbed.juju.state.charm import Charm
from testbed.juju.state.endpoints import Side
from testbed.juju.state.machine import Machine
from testbed.juju.state.model import Application, Model, Unit
from testbed.juju.state.settings import Value
from testbed.juju.state.status import ALIVE


@dataclass(frozen=True)
class Request:
    """What `juju deploy` asks for."""

    source: Source
    application: str
    base: str = ""
    units: int = 1
    to: Sequence[str] = ()
    config: Mapping[str, Value] = field(default_factory=dict)


def local_source(controller: Controller, model: Model, path: Any) -> Source:
    """Return a charm file of the operator's. Each file is a new revision."""
    charm = controller.store.load(path)
    revision = model.local_revisions.get(charm.name, 0)
    model.local_revisions[charm.name] = revision + 1
    return Source(charm, "local", revision, "")


def deploy(controller: Controller, model: Model, request: Request) -> Application:
    """Add an application with its units and peer relations."""
    name, charm = request.application, request.source.charm
    if not names.is_application(name):
        raise UsageError(f'invalid application name "{name}"')
    if name in model.applications:
        raise JujuError(f'cannot add application "{name}": application already exists')
    application = Application(
        name=name,
        charm=charm,
        revision=request.source.revision,
        origin=request.source.origin,
        channel=request.source.channel,
        base=bases.choose(charm.name, charm.bases, request.base),
        config=dict(request.config),
        next_unit=model.next_units.get(name, 0),
    )
    _check_architecture(model, request)
    machines = targets(model, request.to, request.units)
    model.applications[name] = application
    for endpoint in charm.peers():
        relating.add_peer(model, application, endpoint)
    if not charm.subordinate:
        add_units(controller, model, application, request.units, machines)
    controller.changed(model)
    return application


def _check_architecture(model: Model, request: Request) -> None:
    """Refuse what 4.1 does: the file of a charm that does not say which architecture is meant."""
    architectures = request.source.charm.architectures
    if model.manner is not Manner.JUJU_4_1 or request.source.origin != "local":
        return
    if len(architectures) != 1:
        raise JujuError("cannot insert application with an empty architecture")


def add_units(
    controller: Controller,
    model: Model,
    application: Application,
    count: int,
    machines: Sequence[Machine | None] = (),
) -> list[Unit]:
    """Add units, each on its machine of `machines` or on a new machine."""
    if application.charm.subordinate:
        raise JujuError(f'cannot add unit 1/1: application "{application.name}" is a subordinate')
    if application.life != ALIVE:
        raise JujuError(f'cannot add unit to application "{application.name}": it is not alive')
    units: list[Unit] = []
    for number in range(count):
        given = machines[number] if number < len(machines) else None
        machine = given or controller.add_machine(model, application.base)
        unit = add_unit(model, application, machine)
        controller.start_uniter(model, unit)
        units.append(unit)
    controller.changed(model)
    return units


def targets(model: Model, to: Sequence[str], count: int) -> list[Machine | None]:
    """Return the machines that `--to` names; None stands for a new machine."""
    if len(to) > count:
        raise UsageError("cannot use --to with more placements than units")
    return [_target(model, target) for target in to]


def _target(model: Model, target: str) -> Machine | None:
    if target == "new":
        return None
    if names.is_machine(target):
        return model.machine(target)
    raise UnsupportedError(f'placement "{target}"')


def refresh(
    controller: Controller, model: Model, application: Application, source: Source
) -> None:
    """Replace the charm of an application."""
    old, new = application.charm, source.charm
    _check_refresh(model, application, new)
    application.charm, application.revision = new, source.revision
    application.origin, application.channel = source.origin, source.channel
    application.config = {n: v for n, v in application.config.items() if _keeps(old, new, n)}
    for relation in model.relations_of(application.name):
        relation.sides = tuple(_with_charm(side, application) for side in relation.sides)
    known = {r.sides[0].endpoint.name for r in model.relations_of(application.name) if r.peer}
    for endpoint in new.peers():
        if endpoint.name not in known:
            join_untold(model, relating.add_peer(model, application, endpoint))
    application.charm_version += 1
    controller.changed(model)


def _keeps(old: Charm, new: Charm, option: str) -> bool:
    """Return whether an option keeps its value: the new charm has it, with the same type."""
    return option in new.options and new.options[option].type == old.options[option].type


def _with_charm(side: Side, application: Application) -> Side:
    if side.application != application.name:
        return side
    return Side(side.application, application.charm.all_endpoints()[side.endpoint.name])


def _check_refresh(model: Model, application: Application, new: Charm) -> None:
    added = sorted(set(new.endpoints) - set(application.charm.endpoints))
    if added and model.manner is Manner.JUJU_4_1:
        raise JujuError(f'one or more of the provided endpoints "{", ".join(added)}" do not exist')
    known = new.all_endpoints()
    for relation in model.relations_of(application.name):
        side = relation.side_of(application.name)
        assert side is not None
        kept = known.get(side.endpoint.name)
        if kept is None and model.manner is Manner.JUJU_4_1:
            raise JujuError(
                f'setting application "{application.name}" charm: '
                f'charm has no corresponding relation "{side.endpoint.name}"'
            )
        if kept is None:
            raise JujuError(
                f'cannot upgrade application "{application.name}" to charm "{new.name}": '
                f'would break relation "{endpoints.key(relation.sides)}"'
            )

"""What follows from a change of the model: units join, lead and die. removal.py has their end.

The functions are called under the controller's lock. They change plain data only, and return what
is left for the controller to do: units to start, machines to close.
"""

from __future__ import annotations

from dataclasses import replace

from testbed.juju.controller.removal import Effects, end_application, end_relation, end_unit
from testbed.juju.manner import Manner
from testbed.juju.state import names
from testbed.juju.state.machine import Machine
from testbed.juju.state.model import Application, Model, Unit
from testbed.juju.state.relation import Databag, Relation
from testbed.juju.state.status import ALIVE
from testbed.juju.state.unitstate import LocalRelation


def add_unit(
    model: Model, application: Application, machine: Machine, principal: str = ""
) -> Unit:
    """Add a unit of an application to a machine, with its principal if it is a subordinate."""
    number = application.next_unit
    application.next_unit = model.next_units[application.name] = number + 1
    unit = Unit(f"{application.name}/{number}", machine, principal)
    application.units[unit.name] = unit
    return unit


def advance(model: Model) -> Effects:
    """Change the model until nothing more follows from its state."""
    effects = Effects()
    while _step(model, effects):
        pass
    return effects


def _step(model: Model, effects: Effects) -> bool:
    for unit in list(model.units()):
        if end_unit(model, unit, effects):
            return True
    for relation in list(model.relations.values()):
        if _relation_step(model, relation, effects):
            return True
    return any(_application_step(model, app) for app in list(model.applications.values()))


def _relation_step(model: Model, relation: Relation, effects: Effects) -> bool:
    if relation.life != ALIVE:
        return end_relation(model, relation)
    return any(_join(model, relation, unit, effects) for unit in _candidates(model, relation))


def _candidates(model: Model, relation: Relation) -> list[Unit]:
    sides = (model.applications[side.application] for side in relation.sides)
    return [unit for application in sides for unit in application.units.values()]


def _join(model: Model, relation: Relation, unit: Unit, effects: Effects) -> bool:
    """Let a unit join a relation that its charm knows. A principal brings its subordinate.

    Return whether it joined.
    """
    ready = _knows_its_charm(model, unit) and unit.life == ALIVE and not unit.agent_stopped
    if unit.name in relation.joined or not ready or not _may_join(model, relation, unit):
        return False
    host = unit.machine.host
    assert host is not None
    relation.joined.add(unit.name)
    bag = relation.units.setdefault(unit.name, Databag())
    bag.write({"egress-subnets": f"{host.address}/32", "ingress-address": host.address})
    if model.manner is Manner.JUJU_3_6:
        bag.write({"private-address": host.address})
    if relation.scope == "container" and not unit.principal:
        _bring_subordinate(model, relation, unit, effects)
    return True


def join_untold(model: Model, relation: Relation) -> None:
    """Let units join a relation that only the charm knows that they are to be upgraded to.

    As in Juju 3.6, an agent that runs joins it before the upgrade. It finds no hook
    relation-created in the older charm and takes it for done, so the newer charm gets none either.
    An agent that is down upgrades its charm first.
    """
    for unit in _candidates(model, relation):
        if _join(model, relation, unit, Effects()):
            side = relation.other_side(unit.application)
            known = LocalRelation(side.endpoint.name, side.application, created=True)
            unit.local = replace(
                unit.local, relations={**unit.local.relations, relation.id: known}
            )


def _knows_its_charm(model: Model, unit: Unit) -> bool:
    """Return whether a unit runs its application's charm, and no hook of the upgrade is left."""
    newest = model.applications[unit.application].charm_version
    return unit.local.installed and unit.local.charm_version == newest and not unit.local.queued


def _may_join(model: Model, relation: Relation, unit: Unit) -> bool:
    if relation.scope != "container":
        return True
    application = relation.other_side(unit.application).application
    if unit.principal:
        # As in Juju (RelationUnit.Valid), a relation between two subordinates is valid, too.
        of_principal = application == names.application_of(unit.principal)
        return of_principal or model.applications[application].charm.subordinate
    # As in Juju, a principal joins once its former subordinate is gone, and then gets a new one.
    former = (model.find_unit(name) for name in unit.subordinates)
    return not any(u and u.application == application and u.life != ALIVE for u in former)


def _bring_subordinate(
    model: Model, relation: Relation, principal: Unit, effects: Effects
) -> None:
    name = relation.other_side(principal.application).application
    application = model.applications[name]
    if not application.charm.subordinate or application.life != ALIVE:
        return
    if any(names.application_of(unit) == name for unit in principal.subordinates):
        return
    unit = add_unit(model, application, principal.machine, principal.name)
    principal.subordinates.append(unit.name)
    effects.started.append(unit)


def _application_step(model: Model, application: Application) -> bool:
    if application.life != ALIVE:
        return end_application(model, application)
    if application.leader:
        leader = application.units.get(application.leader)
        if leader is not None and not leader.agent_stopped:
            return False
    candidates = [u for u in application.units.values() if u.life == ALIVE and not u.agent_stopped]
    if not candidates:
        return False
    candidates.sort(key=lambda unit: names.number_of(unit.name))
    application.leader = candidates[0].name
    return True

"""How units, relations and applications end. Called under the controller's lock.

In Juju 3.6 a unit is dead once its agent has run the hook `remove`. In 4.1 the controller marks a
dying unit dead as soon as it is in no relation's scope, whether its last hooks ran or not. It
takes a blocked one out of its dying relations itself, and then only `stop` runs. A dead unit has
no agent. It is removed once its subordinates are.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from testbed.juju.manner import Manner
from testbed.juju.state.machine import Machine
from testbed.juju.state.model import Application, Model, Unit
from testbed.juju.state.relation import Relation
from testbed.juju.state.status import ALIVE, DEAD, DYING
from testbed.juju.uniter.remotestate import runs_no_hooks


@dataclass
class Effects:
    """What the controller has to start and to stop after a change."""

    started: list[Unit] = field(default_factory=list)
    ended: list[Unit] = field(default_factory=list)
    machines_gone: list[Machine] = field(default_factory=list)


def destroy_application(model: Model, application: Application) -> None:
    """Begin to remove an application with its units and relations."""
    application.life = DYING
    for relation in model.relations_of(application.name):
        if not relation.peer or model.manner is Manner.JUJU_4_1:
            relation.life = DYING
    for unit in application.units.values():
        destroy_unit(unit)


def destroy_unit(unit: Unit) -> None:
    """Begin to remove a unit."""
    if unit.life == ALIVE:
        unit.life = DYING


def end_unit(model: Model, unit: Unit, effects: Effects) -> bool:
    """Bring a unit one step nearer to its end. Return whether anything changed."""
    if unit.life == ALIVE:
        if not unit.principal or _attached(model, unit):
            return False
        unit.life = DYING
        return True
    if unit.life == DEAD:
        if unit.subordinates:
            return False
        remove_unit(model, unit, effects)
        return True
    return _let_out(model, unit) or _leave_implicit(model, unit) or _die(model, unit, effects)


def _attached(model: Model, unit: Unit) -> bool:
    """Return whether a live relation still ties a subordinate unit to its principal."""
    principal = model.find_unit(unit.principal)
    if principal is None or principal.life != ALIVE:
        return False
    return any(
        relation.scope == "container"
        and relation.life == ALIVE
        and relation.side_of(principal.application) is not None
        for relation in model.relations_of(unit.application)
    )


def _let_out(model: Model, unit: Unit) -> bool:
    """Begin to let the last blocked unit out of its dying relations, as Juju 4.1 does.

    From now on the unit runs no hook for them. Which unit is the last is chance in Juju. Here it
    is the newest.
    """
    units = model.applications[unit.application].units.values()
    if model.manner is not Manner.JUJU_4_1 or any(other.let_out for other in units):
        return False
    blocked = [other for other in units if other.workload.current == "blocked"]
    unit.let_out = bool(blocked) and blocked[-1] is unit
    return unit.let_out


def _leave_implicit(model: Model, unit: Unit) -> bool:
    """Let a dying unit leave a relation for which it runs no hooks."""
    for relation in model.scopes(unit):
        if runs_no_hooks(relation, unit):
            relation.joined.discard(unit.name)
            return True
    return False


def _die(model: Model, unit: Unit, effects: Effects) -> bool:
    """Mark a dying unit dead, if it has come so far."""
    if _is_busy(unit) or not _is_at_its_end(model, unit):
        return False
    unit.life = DEAD
    for relation in model.scopes(unit):
        relation.joined.discard(unit.name)
    application = model.applications[unit.application]
    if application.leader == unit.name:
        application.leader = ""
    effects.ended.append(unit)
    return True


def _is_busy(unit: Unit) -> bool:
    """Return whether Juju waits for a hook that a unit runs."""
    return unit.agent.current == "executing" and not unit.let_out


def _is_at_its_end(model: Model, unit: Unit) -> bool:
    finished = unit.local.removed or not unit.local.installed
    if model.manner is Manner.JUJU_4_1:
        return finished or (not model.scopes(unit) and not unit.stops_next)
    return finished and not unit.subordinates and unit.local.failed is None


def remove_unit(model: Model, unit: Unit, effects: Effects) -> None:
    """Remove a unit from the model, and its machine if no other unit is on it."""
    application = model.applications[unit.application]
    for relation in model.relations.values():
        relation.joined.discard(unit.name)
    del application.units[unit.name]
    if application.leader == unit.name:
        application.leader = ""
    principal = model.find_unit(unit.principal) if unit.principal else None
    if principal is not None:
        principal.subordinates.remove(unit.name)
    for secret in [s for s in model.secrets.values() if s.owner == unit.name]:
        del model.secrets[secret.id]
    effects.ended.append(unit)
    machine = unit.machine
    if not any(other.machine is machine for other in model.units()):
        model.machines.pop(machine.id, None)
        effects.machines_gone.append(machine)


def end_relation(model: Model, relation: Relation) -> bool:
    """Let the units that run no more hooks for a dying relation leave it. Remove an empty one.

    Return whether anything changed.
    """
    for name in sorted(relation.joined):
        unit = model.find_unit(name)
        if unit is None or _leaves(model, relation, unit):
            relation.joined.discard(name)
            return True
    if relation.joined:
        return False
    del model.relations[relation.id]
    return True


def _leaves(model: Model, relation: Relation, unit: Unit) -> bool:
    if runs_no_hooks(relation, unit) or _knows_nothing(relation, unit):
        return True
    return model.manner is Manner.JUJU_4_1 and _is_let_go(model, relation, unit)


def _knows_nothing(relation: Relation, unit: Unit) -> bool:
    """Return whether the unit's charm has not heard of the relation, and no hook is running."""
    failed = unit.local.failed
    telling = failed is not None and failed.relation_id == relation.id
    return (
        relation.id not in unit.local.relations
        and not telling
        and unit.agent.current != "executing"
    )


def _is_let_go(model: Model, relation: Relation, unit: Unit) -> bool:
    """Return whether Juju 4.1 takes a dying unit out of a dying relation that it has not left.

    A relation lets units go that are in error or blocked, once nobody else is left in it. In 4.1
    only the last unit goes so; here all do as the last. A peer relation has no relation-broken: it
    also lets a unit go that has left all others.
    """
    if unit.life != DYING or _is_busy(unit):
        return False
    left = [model.find_unit(name) for name in relation.joined]
    if all(u is not None and u.life == DYING and _is_stuck(u) for u in left):
        return True
    if not relation.peer or unit.let_out:
        return False
    told = not unit.local.relations[relation.id].members or _is_stuck(unit)
    return told and all(other.peer for other in model.scopes(unit))


def _is_stuck(unit: Unit) -> bool:
    """Return whether 4.1 takes a unit for one that cannot leave (IsUnitDyingAndBlocked)."""
    return unit.local.failed is not None or unit.let_out


def end_application(model: Model, application: Application) -> bool:
    """Remove an application that has neither units nor relations. Return whether it is gone."""
    if application.units or any(not r.peer for r in model.relations_of(application.name)):
        return False
    for relation in model.relations_of(application.name):
        del model.relations[relation.id]
    for secret in [s for s in model.secrets.values() if s.owner == application.name]:
        del model.secrets[secret.id]
    del model.applications[application.name]
    return True

"""What a unit's agent sees of the model at one moment. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from testbed.juju.manner import Manner
from testbed.juju.state.model import Model, Unit
from testbed.juju.state.relation import Relation
from testbed.juju.state.secretevents import SecretEvent, events_for
from testbed.juju.state.status import ALIVE, DYING
from testbed.juju.uniter.secretexpire import Revision


@dataclass(frozen=True)
class RelationSnapshot:
    """One relation as the unit sees it. `members` has the version of each unit's data."""

    endpoint: str
    remote_application: str
    alive: bool
    peer: bool = False
    members: Mapping[str, int] = field(default_factory=dict)
    applications: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Snapshot:
    """What the agent sees, without the relations that run no hooks."""

    alive: bool = True
    unit: str = ""
    application_alive: bool = True
    charm_version: int = 1
    config_version: str = ""
    config_twice: bool = False
    leader: bool = False
    leader_settings_version: int = 0
    update_status_version: int = 0
    retry_due: bool = False
    dies_unstopped: bool = False  # before its hooks `stop` and `remove`
    let_out: bool = False  # of dying relations, without their hooks
    restarts: bool = False  # before it leaves its relations
    principal_leaving: bool = False
    relations: Mapping[int, RelationSnapshot] = field(default_factory=dict)
    secrets: tuple[SecretEvent, ...] = ()


def snapshot(
    model: Model,
    unit: Unit,
    *,
    retry_due: bool,
    expired: Sequence[Revision] = (),
) -> Snapshot:
    """Return what `unit` sees, when these revisions of secrets have expired."""
    application = model.applications[unit.application]
    leader = application.leader == unit.name
    return Snapshot(
        alive=unit.life == ALIVE,
        unit=unit.name,
        application_alive=application.life == ALIVE,
        charm_version=application.charm_version,
        config_version=application.config_version(),
        config_twice=model.manner is Manner.JUJU_4_1,
        leader=leader,
        leader_settings_version=application.leader_settings.version,
        update_status_version=unit.update_status_version,
        retry_due=retry_due,
        dies_unstopped=_dies_unstopped(model, unit),
        let_out=unit.let_out,
        restarts=model.manner is Manner.JUJU_3_6,
        principal_leaving=_principal_leaving(model, unit),
        relations={
            relation.id: _relation(model, relation, unit)
            for relation in model.relations_of(application.name)
            if unit.name in relation.joined and not runs_no_hooks(relation, unit)
        },
        secrets=(
            *(_expired(model, *revision) for revision in expired),
            *events_for(unit.name, leader=leader, secrets=model.secrets.values()),
        ),
    )


def _expired(model: Model, secret_id: str, revision: int) -> SecretEvent:
    """Return the event of an expired revision: with a bare id, and for what is gone no label."""
    secret = model.secrets.get(secret_id)
    label = secret.label if secret else ""
    return SecretEvent("secret-expired", secret_id, label, revision)


def _dies_unstopped(model: Model, unit: Unit) -> bool:
    """Return whether no relation keeps a unit until it has run its last hooks.

    In Juju 4.1 a unit is in no scope once it has left its relations. The peer relation of an
    application that stays keeps it. One that was let out of them runs `stop`.
    """
    kept = any(not relation.peer or relation.life == ALIVE for relation in model.scopes(unit))
    return model.manner is Manner.JUJU_4_1 and not kept and not unit.stops_next


def _principal_leaving(model: Model, unit: Unit) -> bool:
    """Return whether a subordinate waits for its principal's death.

    In Juju 4.1 the principal does not wait for its subordinate, and the last hooks of that do not
    see it any more. In which order the two come is chance there. Here the principal is first.
    """
    principal = model.find_unit(unit.principal)
    return (
        model.manner is Manner.JUJU_4_1
        and principal is not None
        and principal.life == DYING
        and principal.local.failed is None
        and not principal.agent_stopped
    )


def runs_no_hooks(relation: Relation, unit: Unit) -> bool:
    """Return whether the relation attaches to the unit's implicit endpoint."""
    side = relation.side_of(unit.application)
    return side is not None and side.endpoint.implicit


def _relation(model: Model, relation: Relation, unit: Unit) -> RelationSnapshot:
    side = relation.side_of(unit.application)
    assert side is not None
    other = relation.other_side(unit.application).application
    return RelationSnapshot(
        endpoint=side.endpoint.name,
        remote_application=other,
        alive=relation.life == ALIVE,
        peer=relation.peer,
        members={
            member.name: relation.units[member.name].version
            for member in model.members(relation, unit)
        },
        applications={other: relation.application_bag(other).version},
    )

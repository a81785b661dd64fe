"""What one unit's agent may see of the model, as the uniter wants it. Pure."""

from __future__ import annotations

from datetime import datetime

from testbed.juju.state.model import ALIVE, Model, Relation, Unit
from testbed.juju.state.secrets import events_for
from testbed.juju.uniter.resolver import Remote, RemoteRelation


def remote_state(model: Model, unit: Unit, *, retry_due: bool, moment: datetime) -> Remote:
    """The state that `unit` reacts to, at `moment`."""
    application = model.applications[unit.application]
    leader = application.leader == unit.name
    return Remote(
        alive=unit.life == ALIVE,
        unit=unit.name,
        application_alive=application.life == ALIVE,
        charm_version=application.charm_version,
        config_version=application.config_version(),
        leader=leader,
        leader_settings_version=application.leader_settings.version,
        update_status_version=unit.update_status_version,
        resolved=unit.resolved,
        retry_due=retry_due,
        force_upgrade=unit.force_upgrade,
        relations={
            relation.id: _relation(model, relation, unit)
            for relation in model.relations_of(application.name)
            if unit.name in relation.joined and not runs_no_hooks(relation, unit)
        },
        secrets=tuple(
            events_for(unit.name, leader=leader, secrets=model.secrets.values(), now=moment)
        ),
    )


def runs_no_hooks(relation: Relation, unit: Unit) -> bool:
    """Whether the relation attaches to the unit's implicit endpoint."""
    side = relation.side_of(unit.application)
    return side is not None and side.endpoint.implicit


def _relation(model: Model, relation: Relation, unit: Unit) -> RemoteRelation:
    side = relation.side_of(unit.application)
    assert side is not None
    other = relation.other_side(unit.application).application
    return RemoteRelation(
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

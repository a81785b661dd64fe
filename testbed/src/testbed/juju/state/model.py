"""Models, applications and units: what the controller knows.

Plain data, which the controller's lock guards. Nothing here starts a process or connects.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

from testbed.juju.errors import JujuError
from testbed.juju.manner import Manner
from testbed.juju.state import names
from testbed.juju.state.charm import Charm
from testbed.juju.state.machine import Machine
from testbed.juju.state.relation import Databag, Relation
from testbed.juju.state.secrets import Secret
from testbed.juju.state.settings import Value, effective
from testbed.juju.state.status import ALIVE, DEAD, Status, now
from testbed.juju.state.unitstate import LocalState

MODEL_DEFAULTS = {
    "automatically-retry-hooks": "true",
    "juju-http-proxy": "",
    "juju-https-proxy": "",
    "juju-no-proxy": "127.0.0.1,localhost,::1",
    "update-status-hook-interval": "5m",
}


@dataclass
class Unit:
    """A unit and the state of its agent."""

    name: str
    machine: Machine
    principal: str = ""
    life: str = ALIVE
    local: LocalState = field(default_factory=LocalState)
    workload: Status = field(default_factory=lambda: Status("waiting", "waiting for machine"))
    agent: Status = field(default_factory=lambda: Status("allocating"))
    version: Status = field(default_factory=lambda: Status(""))
    agent_stopped: bool = False
    let_out: bool = False  # of dying relations, without their hooks (removal.py)
    update_status_version: int = 0
    subordinates: list[str] = field(default_factory=list)

    @property
    def application(self) -> str:
        return names.application_of(self.name)

    @property
    def in_error(self) -> bool:
        """Whether a hook has failed, and does not run again at the moment."""
        return self.local.failed is not None and self.agent.current != "executing"

    @property
    def stops_next(self) -> bool:
        """Whether the unit was let out of its relations and has not tried to stop yet."""
        return self.let_out and not self.local.stopped and self.local.failed is None


@dataclass
class Application:
    """An application, the charm it runs and what its operator set."""

    name: str
    charm: Charm
    revision: int
    origin: str  # local or charmhub
    channel: str
    base: str
    config: dict[str, Value] = field(default_factory=dict)
    untold: dict[str, Value] = field(default_factory=dict)  # what was reset, as units know it
    life: str = ALIVE
    charm_version: int = 1
    units: dict[str, Unit] = field(default_factory=dict)
    next_unit: int = 0
    leader: str = ""
    leader_settings: Databag = field(default_factory=Databag)
    status: Status | None = None
    created: datetime = field(default_factory=now)

    @property
    def workload_version(self) -> str:
        """The version of the unit that said or lacked one last."""
        found = [unit.version for unit in self.units.values()]
        return max(found, key=lambda version: version.since).current if found else ""

    def settings(self) -> dict[str, Value]:
        return effective(self.charm.options, self.config)

    def config_version(self) -> str:
        return repr(sorted({**self.settings(), **self.untold}.items()))


@dataclass
class Model:
    """A model and everything in it."""

    name: str
    manner: Manner = Manner.JUJU_3_6
    uuid: str = field(default_factory=lambda: str(uuid.uuid4()))
    config: dict[str, str] = field(default_factory=dict)
    applications: dict[str, Application] = field(default_factory=dict)
    relations: dict[int, Relation] = field(default_factory=dict)
    machines: dict[str, Machine] = field(default_factory=dict)
    secrets: dict[str, Secret] = field(default_factory=dict)
    next_machine: int = 0
    next_relation: int = 0
    next_operation: int = 1
    local_revisions: dict[str, int] = field(default_factory=dict)
    next_units: dict[str, int] = field(default_factory=dict)
    life: str = ALIVE

    def setting(self, name: str) -> str:
        return self.config.get(name, MODEL_DEFAULTS[name])

    def application(self, name: str) -> Application:
        if name not in self.applications:
            raise JujuError(f'application "{name}" not found')
        return self.applications[name]

    def units(self) -> Iterator[Unit]:
        for application in self.applications.values():
            yield from application.units.values()

    def find_unit(self, name: str) -> Unit | None:
        application = self.applications.get(names.application_of(name))
        return application.units.get(name) if application else None

    def has(self, machine: Machine) -> bool:
        """Return whether a machine is part of the model, and neither is being removed."""
        return self.life == ALIVE and self.machines.get(machine.id) is machine

    def is_gone(self, unit: Unit) -> bool:
        """Return whether the unit is dead or removed, or the whole model is being destroyed."""
        dead = unit.life == DEAD or self.find_unit(unit.name) is not unit
        return self.life != ALIVE or dead

    def unit(self, name: str) -> Unit:
        """Return the unit `APP/N` or `APP/leader`. Raise JujuError if there is none."""
        if name.endswith("/leader"):
            application = self.application(names.application_of(name))
            if not application.leader:
                raise JujuError(f'could not determine leader for "{application.name}"')
            name = application.leader
        unit = self.find_unit(name)
        if unit is None:
            raise JujuError(f'unit "{name}" not found')
        return unit

    def machine(self, number: str) -> Machine:
        if number not in self.machines:
            raise JujuError(f"machine {number} not found")
        return self.machines[number]

    def relations_of(self, application: str) -> list[Relation]:
        return [r for r in self.relations.values() if r.side_of(application)]

    def scopes(self, unit: Unit) -> list[Relation]:
        """Return the relations in whose scope a unit is."""
        return [r for r in self.relations.values() if unit.name in r.joined]

    def members(self, relation: Relation, unit: Unit) -> list[Unit]:
        """Return the joined units that `unit` sees in a relation, by its scope."""
        other = relation.other_side(unit.application).application
        seen = [self.find_unit(name) for name in sorted(relation.joined, key=names.natural)]
        return [
            member
            for member in seen
            if member is not None
            and member.name != unit.name
            and member.application == other
            and self.sees(relation, unit, member)
        ]

    def sees(self, relation: Relation, unit: Unit, other: Unit) -> bool:
        """Return whether the relation's scope shows a unit the other. 4.1 shows every unit."""
        everyone = relation.scope == "global" or self.manner is Manner.JUJU_4_1
        return everyone or _container(other) == _container(unit)


def _container(unit: Unit) -> str:
    """Return the principal of a subordinate unit; any other unit is its own container."""
    return unit.principal or unit.name

"""`juju status` as a document. Pure."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from testbed.juju.state import names
from testbed.juju.state.machine import Machine
from testbed.juju.state.model import Application, Model, Unit
from testbed.juju.state.relation import Relation
from testbed.juju.state.status import ALIVE, Status

_SEVERITY = {
    "error": 100,
    "blocked": 90,
    "waiting": 80,
    "maintenance": 70,
    "terminated": 60,
    "active": 50,
    "unknown": 40,
}


def moment(time: datetime) -> str:
    """Return a time as Juju prints it (UTC): `25 Nov 2026 00:30:00Z`."""
    return time.strftime("%d %b %Y %H:%M:%SZ")


def status_document(
    model: Model, at: datetime, *, controller: str, cloud: str, region: str
) -> dict[str, Any]:
    """Return the document of `juju status --format json`."""
    return {
        "model": {
            "name": model.name,
            "type": "iaas",
            "controller": controller,
            "cloud": cloud,
            "region": region,
            "version": model.manner.version,
            "sla": "unsupported",
        },
        "machines": {
            number: _machine(model, machine)
            for number, machine in sorted(model.machines.items(), key=lambda m: int(m[0]))
        },
        "applications": {
            name: _application(model, application)
            for name, application in sorted(model.applications.items())
        },
        "controller": {"timestamp": at.strftime("%H:%M:%SZ")},
    }


def entry(status: Status, **more: str) -> dict[str, str]:
    """Return one status of the document."""
    found = {"current": status.current, "message": status.message, "since": moment(status.since)}
    return {name: value for name, value in {**found, **more}.items() if value}


def _base(base: str) -> dict[str, str]:
    name, _, channel = base.partition("@")
    return {"name": name, "channel": channel}


def _machine(model: Model, machine: Machine) -> dict[str, Any]:
    host = machine.host
    version = model.manner.version if host else ""
    document: dict[str, Any] = {"juju-status": entry(machine.status, version=version)}
    if host is not None:
        document |= {
            "hostname": host.hostname,
            "dns-name": host.address,
            "ip-addresses": [host.address],
        }
    running = Status("running", "Running", machine.status.since) if host else machine.status
    return document | {
        "instance-id": host.hostname if host else "pending",
        "machine-status": entry(running),
        "base": _base(machine.base),
    }


def _application(model: Model, application: Application) -> dict[str, Any]:
    charm = application.charm
    relations = model.relations_of(application.name)
    is_local = application.origin == "local"
    document: dict[str, Any] = {
        "charm": f"local:{charm.name}-{application.revision}" if is_local else charm.name,
        "base": _base(application.base),
        "charm-origin": application.origin,
        "charm-name": charm.name,
        "charm-rev": application.revision,
    }
    if application.channel:
        document["charm-channel"] = application.channel
    if charm.version:
        document["charm-version"] = charm.version
    document["exposed"] = False
    if application.life != ALIVE:
        document["life"] = application.life
    document["application-status"] = entry(application_status(application))
    if relations:
        document["relations"] = _relations(application, relations)
    if charm.subordinate:
        document["subordinate-to"] = sorted(_principals(application, relations))
    elif application.units:
        document["units"] = {
            unit.name: _unit(model, unit) for unit in _in_order(application.units.values())
        }
    if application.workload_version:
        document["version"] = application.workload_version
    return document


def _in_order(units: Any) -> list[Unit]:
    return sorted(units, key=lambda unit: names.natural(unit.name))


def application_status(application: Application) -> Status:
    """Return the status that the leader set, or else the most severe one of the units."""
    if application.status is not None:
        return application.status
    statuses = [workload_status(unit) for unit in application.units.values()]
    if not statuses:
        return Status("unknown", since=application.created)
    return max(statuses, key=lambda status: _SEVERITY.get(status.current, 0))


def workload_status(unit: Unit) -> Status:
    """Return a unit's workload status. A failed hook or a lost agent hides the charm's own."""
    if unit.agent_stopped:
        return Status(
            "unknown", f"agent lost, see 'juju show-status-log {unit.name}'", unit.agent.since
        )
    if unit.in_error and (failed := unit.local.failed):
        return Status("error", f'hook failed: "{failed.name}"', unit.agent.since)
    return unit.workload


def agent_status(unit: Unit) -> Status:
    if unit.agent_stopped:
        return Status("lost", "agent is not communicating with the server", unit.agent.since)
    return unit.agent


def _relations(application: Application, relations: list[Relation]) -> dict[str, Any]:
    document: dict[str, Any] = {}
    for relation in relations:
        side, other = relation.side_of(application.name), relation.other_side(application.name)
        assert side is not None
        document.setdefault(side.endpoint.name, []).append(
            {
                "related-application": other.application,
                "interface": side.endpoint.interface,
                "scope": relation.scope,
            }
        )
    return dict(sorted(document.items()))


def _principals(application: Application, relations: list[Relation]) -> set[str]:
    return {
        relation.other_side(application.name).application
        for relation in relations
        if relation.scope == "container" and not relation.peer
    }


def _unit(model: Model, unit: Unit) -> dict[str, Any]:
    host = unit.machine.host
    version = model.manner.version if unit.local.installed else ""
    document: dict[str, Any] = {
        "workload-status": entry(workload_status(unit)),
        "juju-status": entry(agent_status(unit), version=version),
    }
    if model.applications[unit.application].leader == unit.name:
        document["leader"] = True
    if not unit.principal:
        document["machine"] = unit.machine.id
    if host is not None:
        document["public-address"] = host.address
    subordinates = [model.find_unit(name) for name in unit.subordinates]
    if subordinates:
        document["subordinates"] = {
            found.name: _unit(model, found) for found in _in_order(filter(None, subordinates))
        }
    return document


def relation_rows(model: Model) -> list[list[str]]:
    """Return the rows that `juju status --relations` adds."""
    rows = []
    for relation in model.relations.values():
        sides = [str(side) for side in relation.sides]
        kind = "peer" if relation.peer else "regular"
        if relation.scope == "container" and not relation.peer:
            kind = "subordinate"
        interface = relation.sides[0].endpoint.interface
        rows.append([sides[-1], sides[0], interface, kind, ""])
    return sorted(rows)

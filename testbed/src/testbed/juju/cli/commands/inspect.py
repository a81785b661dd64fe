"""juju status, show-unit, debug-log."""

from __future__ import annotations

from typing import Any

from testbed.juju.cli.commands.configure import dump
from testbed.juju.cli.invocation import Command, Invocation
from testbed.juju.cli.status import relation_rows, status_document
from testbed.juju.cli.tabular import status_tables
from testbed.juju.controller.controller import CLOUD, CONTROLLER_NAME, REGION, USER
from testbed.juju.errors import UsageError
from testbed.juju.flags import Flag, Parsed
from testbed.juju.state import names
from testbed.juju.state.model import Model, Unit
from testbed.juju.state.relation import Relation
from testbed.juju.state.status import now

_FORMAT = Flag("format")


def status(invocation: Invocation, parsed: Parsed) -> None:
    with invocation.controller.lock:
        model = invocation.model
        document = status_document(
            model, now(), controller=CONTROLLER_NAME, cloud=CLOUD, region=REGION
        )
        rows = relation_rows(model) if parsed.on("relations") else None
    document = _only(document, {*parsed.args})
    style = parsed.text("format", "tabular")
    is_table = style == "tabular"
    invocation.print(status_tables(document, rows) if is_table else dump(document, style))
    if not document["applications"] and not document["machines"]:
        invocation.info(f'\nModel "{USER}/{document["model"]["name"]}" is empty.')


def _only(document: dict[str, Any], wanted: set[str]) -> dict[str, Any]:
    """Return the document with these applications alone, and with the principals of their units.

    Juju selects units and machines too.
    """
    if not wanted:
        return document
    kept = {
        name: application
        for name, application in document["applications"].items()
        if wanted & {name, *map(names.application_of, _riders(application))}
    }
    used = {unit["machine"] for each in kept.values() for unit in each.get("units", {}).values()}
    machines = {number: each for number, each in document["machines"].items() if number in used}
    return {**document, "applications": kept, "machines": machines}


def _riders(application: dict[str, Any]) -> list[str]:
    units = application.get("units", {}).values()
    return [name for unit in units for name in unit.get("subordinates", {})]


def show_unit(invocation: Invocation, parsed: Parsed) -> None:
    if not parsed.args:
        raise UsageError("an unit name must be supplied")
    for name in parsed.args:
        if not names.is_unit_or_leader(name):
            raise UsageError(f'unit name "{name}" not valid')
    with invocation.controller.lock:
        model = invocation.model
        units = [model.unit(name) for name in parsed.args]
        report = {unit.name: _unit_info(model, unit) for unit in units}
    invocation.print(dump(report, parsed.text("format", "yaml")))


def _unit_info(model: Model, unit: Unit) -> dict[str, Any]:
    application = model.applications[unit.application]
    host = unit.machine.host
    return {
        "workload-version": unit.version.current,
        "machine": unit.machine.id,
        "opened-ports": [],
        "public-address": host.address if host else "",
        "charm": f"{application.charm.name}-{application.revision}",
        "leader": application.leader == unit.name,
        "life": unit.life,
        "relation-info": [
            _relation_info(model, relation, unit)
            for relation in model.relations_of(application.name)
            if unit.name in relation.joined
        ],
    }


def _relation_info(model: Model, relation: Relation, unit: Unit) -> dict[str, Any]:
    side, other = relation.side_of(unit.application), relation.other_side(unit.application)
    assert side is not None
    related = {
        member.name: {"in-scope": True, "data": dict(relation.units[member.name].values)}
        for member in model.members(relation, unit)
    }
    info: dict[str, Any] = {
        "relation-id": relation.id,
        "endpoint": side.endpoint.name,
        "related-endpoint": other.endpoint.name,
        "application-data": dict(relation.application_bag(other.application).values),
        "local-unit": {"in-scope": True, "data": dict(relation.units[unit.name].values)},
    }
    return info | ({"related-units": related} if related else {})


def debug_log(invocation: Invocation, parsed: Parsed) -> None:
    """Print the log so far. Unlike Juju's, it follows no log on a terminal."""
    included = parsed.all("include")
    with invocation.controller.lock:
        lines = [
            line
            for line in invocation.controller.logs[invocation.model.uuid].lines
            if not included or any(_names(name, line.entity) for name in included)
        ]
    for line in lines[-int(parsed.text("limit", "0")) :]:
        invocation.print(str(line))


def _names(selector: str, entity: str) -> bool:
    """Return whether a selector, `a/0` or `a`, names a unit's agent."""
    if names.is_unit(selector):
        return entity == names.tag_of(selector)
    return entity.rpartition("-")[0] == f"unit-{selector}"


COMMANDS = (
    Command(
        "status", status, "Shows the model: applications, units, machines.",
        (_FORMAT, Flag("relations", "bool")),
    ),
    Command("show-unit", show_unit, "Shows units with their relation data.", (_FORMAT,)),
    Command(
        "debug-log", debug_log, "Shows the log of the model's agents.",
        (Flag("replay", "bool"), Flag("limit"), Flag("include", "list")),
    ),
)  # fmt: skip

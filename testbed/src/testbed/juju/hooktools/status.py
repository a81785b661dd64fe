"""The hook tools of statuses, the workload version and goal-state."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from testbed.juju.errors import ToolError
from testbed.juju.flags import Flag
from testbed.juju.hooktools.call import Call, Spec
from testbed.juju.hooktools.context import Context
from testbed.juju.state.model import Application, Unit
from testbed.juju.state.status import ALIVE, DEAD, Status

_STATUSES = ("maintenance", "blocked", "waiting", "active")


def status_set(call: Call) -> None:
    if not call.args:
        raise ToolError("ERROR invalid args, require <status> [message]", 2)
    current = call.argument(0)
    if current not in _STATUSES:
        raise ToolError(
            f'ERROR invalid status "{current}", expected one of [{" ".join(_STATUSES)}]', 2
        )
    call.at_most(2)
    status = Status(current, call.argument(1))
    context = call.context
    if call.parsed.on("application"):
        context.require_leader()
        if context.application.status is None or not context.application.status.same(status):
            context.application.status = status
        return
    if not context.unit.workload.same(status):
        context.unit.workload = status


def status_get(call: Call) -> Any:
    context = call.context
    if call.parsed.on("application"):
        context.require_leader()
        units = {unit.name: _status(unit.workload) for unit in context.application.units.values()}
        status = context.application.status or Status("unknown")
        return {"application-status": {**_status(status), "units": units}}
    found = _status(context.unit.workload)
    return found if call.parsed.on("include-data") else found["status"]


def _status(status: Status) -> dict[str, Any]:
    return {"status": status.current, "message": status.message, "status-data": {}}


def application_version_set(call: Call) -> None:
    if not call.args:
        raise ToolError("ERROR no version specified", 2)
    call.at_most(1)
    call.context.unit.version = Status(call.argument(0))


def goal_state(call: Call) -> dict[str, Any]:
    context = call.context
    relations: dict[str, dict[str, Any]] = {}
    for relation in context.model.relations_of(context.application.name):
        if relation.peer:
            continue
        other = relation.other_side(context.application.name).application
        goals = relations.setdefault(context.endpoint(relation), {})
        goals[other] = {"status": "joined", "since": _moment(relation.since)}
        goals |= _goals(context, context.model.applications[other])
    return {"units": _goals(context, context.application), "relations": relations}


def _goals(context: Context, application: Application) -> dict[str, Any]:
    """Return the goals of an application's units, without the subordinates of other units.

    Juju compares a unit's principal with the unit that asks. So a subordinate sees no unit of its
    own application, not even itself. Dead units are left out.
    """
    return {
        unit.name: _goal(unit)
        for unit in application.units.values()
        if unit.principal in ("", context.unit.name) and unit.life != DEAD
    }


def _goal(unit: Unit) -> dict[str, str]:
    status = unit.workload.current if unit.life == ALIVE else unit.life
    return {"status": status, "since": _moment(unit.workload.since)}


def _moment(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%d %H:%M:%SZ")


SPECS: dict[str, Spec] = {
    "application-version-set": Spec(application_version_set),
    "goal-state": Spec(goal_state, output=True),
    "status-get": Spec(
        status_get, (Flag("application", "bool"), Flag("include-data", "bool")), output=True
    ),
    "status-set": Spec(status_set, (Flag("application", "bool"),)),
}

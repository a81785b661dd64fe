"""The hook tools of relations and their data."""

from __future__ import annotations

from typing import Any

from testbed.juju.errors import ToolError
from testbed.juju.hooktools.call import APP, FILE, RELATION, Call, Spec
from testbed.juju.hooktools.context import Context
from testbed.juju.manner import Manner
from testbed.juju.state import names
from testbed.juju.state.relation import Relation


def relation_ids(call: Call) -> list[str]:
    # In a hook of a relation, it is that relation's by default.
    hook = call.context.hook
    endpoint = call.argument(0) or (hook.endpoint if hook else "")
    if not endpoint:
        raise ToolError("ERROR no endpoint name specified", 2)
    listed = call.context.relations().items()
    return [f"{endpoint}:{number}" for number, its_endpoint in listed if its_endpoint == endpoint]


def relation_list(call: Call) -> Any:
    context = call.context
    number = context.relation_number(call.parsed.text("relation"))
    return context.remote_application(number) if call.parsed.on("app") else context.members(number)


def relation_get(call: Call) -> Any:
    relation = call.relation()
    name, application = _whose(call)
    data = _read(call.context, relation, name, application=application)
    key = call.argument(0)
    return data.get(key) if key and key != "-" else data


def _whose(call: Call) -> tuple[str, bool]:
    """Return the name that relation-get is about, and whether it is an application."""
    application = call.parsed.on("app")
    hook = call.context.hook
    name = call.argument(1)
    if name and application:
        return names.application_of(name), True
    if name:
        if names.is_application(name):
            raise ToolError(f'ERROR expected unit name, got application name "{name}"', 2)
        if not names.is_unit(name):
            raise ToolError(f'ERROR invalid unit name "{name}"', 2)
        return name, False
    if hook and hook.remote_unit and not application:
        return hook.remote_unit, False
    if hook and hook.remote_application:
        return hook.remote_application, True
    raise ToolError("ERROR no unit or application specified", 2)


def _read(context: Context, relation: Relation, name: str, *, application: bool) -> dict[str, str]:
    own = name == (context.application.name if application else context.unit.name)
    older = context.model.manner is Manner.JUJU_3_6
    if own and application and not context.leader and not relation.peer and older:
        raise ToolError("ERROR permission denied")
    if own and (context.leader or not application):
        return context.own_data(relation, application=application)
    if application:
        if relation.side_of(name) is None:
            raise ToolError("ERROR permission denied")
        return dict(relation.application_bag(name).values)
    remote = context.model.find_unit(name)
    if remote is None and name not in relation.units:
        raise ToolError("ERROR permission denied")
    hidden = remote is not None and not context.model.sees(relation, context.unit, remote)
    if name not in relation.units or hidden:
        raise ToolError(
            f'ERROR cannot read settings for unit "{name}" in relation {relation.id}: '
            "settings not found"
        )
    return dict(relation.units[name].values)


def relation_set(call: Call) -> None:
    relation = call.relation()
    if call.context.has_left(relation):
        raise ToolError("ERROR cannot read relation settings: relation not found")
    application = call.parsed.on("app")
    if application and not call.context.leader:
        raise ToolError("ERROR cannot write relation settings")
    call.context.write_data(relation, call.pairs(), application=application)


SPECS: dict[str, Spec] = {
    "relation-get": Spec(relation_get, (RELATION, APP), output=True),
    "relation-ids": Spec(relation_ids, output=True),
    "relation-list": Spec(relation_list, (RELATION, APP), output=True),
    "relation-set": Spec(relation_set, (RELATION, APP, FILE)),
}

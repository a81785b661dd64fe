"""Add and remove relations.

The functions are called under the controller's lock, and raise JujuError.
"""

from __future__ import annotations

from testbed.juju.errors import JujuError
from testbed.juju.manner import Manner
from testbed.juju.state import endpoints
from testbed.juju.state.charm import Endpoint
from testbed.juju.state.endpoints import Side
from testbed.juju.state.model import Application, Model
from testbed.juju.state.relation import Relation
from testbed.juju.state.status import ALIVE


class AlreadyExistsError(JujuError):
    """The relation exists already."""


def add_peer(model: Model, application: Application, endpoint: Endpoint) -> Relation:
    """Add a relation of an application's units among themselves."""
    return _add(model, (Side(application.name, endpoint),), endpoint.scope)


def integrate(model: Model, first: str, second: str) -> Relation:
    """Add the relation of `juju integrate first second`."""
    charms = {name: application.charm for name, application in model.applications.items()}
    sides = endpoints.in_order(endpoints.infer(charms, first, second, model.manner))
    name = endpoints.key(sides)
    if any(relation.sides == sides for relation in model.relations.values()):
        raise AlreadyExistsError(f'cannot add relation "{name}": relation {name} already exists')
    for side in sides:
        _check_side(model, side, name)
    scope = endpoints.scope(sides)
    if scope == "container":
        _check_bases(model, sides, first, second)
    return _add(model, sides, scope)


def _add(model: Model, sides: tuple[Side, ...], scope: str) -> Relation:
    relation = Relation(model.next_relation, sides, scope)
    model.next_relation += 1
    model.relations[relation.id] = relation
    return relation


def _check_side(model: Model, side: Side, name: str) -> None:
    if model.applications[side.application].life != ALIVE:
        raise JujuError(
            f'cannot add relation "{name}": application "{side.application}" is not alive'
        )
    used = sum(side in relation.sides for relation in model.relations.values())
    if side.endpoint.limit and used >= side.endpoint.limit:
        raise JujuError(
            f'cannot add relation "{name}": establishing a new relation for {side} would exceed '
            f"its maximum relation limit of {side.endpoint.limit}"
        )


def _check_bases(model: Model, sides: tuple[Side, ...], first: str, second: str) -> None:
    """Compare what both are deployed on, as 4.1 does. 3.6 compares what the charms support."""
    one, other = (model.applications[side.application] for side in sides)
    if model.manner is Manner.JUJU_4_1 and one.base != other.base:
        names = [end.partition(":")[0] for end in (first, second)]
        raise JujuError(
            f'adding relation between endpoints "{first}" and "{second}": '
            f'cannot add relation "{first}", "{second}": '
            f'no compatible bases found for application "{names[0]}" and "{names[1]}"'
        )


def find(model: Model, first: str, second: str) -> Relation:
    """Return the one relation that exists between two `APPLICATION[:ENDPOINT]`."""
    for name in (first, second):
        model.application(name.partition(":")[0])
    found = [relation for relation in model.relations.values() if _joins(relation, first, second)]
    if not found:
        raise JujuError(f'relation "{first} {second}" not found')
    if len(found) > 1:
        keys = "; ".join(sorted(f'"{endpoints.key(relation.sides)}"' for relation in found))
        raise JujuError(f'ambiguous relation: "{first} {second}" could refer to {keys}')
    return found[0]


def _joins(relation: Relation, first: str, second: str) -> bool:
    if relation.peer:
        return False
    one, other = relation.sides
    return (_is(one, first) and _is(other, second)) or (_is(one, second) and _is(other, first))


def _is(side: Side, name: str) -> bool:
    application, _, endpoint = name.partition(":")
    return side.application == application and endpoint in ("", side.endpoint.name)

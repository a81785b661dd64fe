"""Which endpoints a relation between two applications joins. Pure.

As in Juju, two endpoints fit if they have the same interface and opposite roles. A relation with
a container-scoped endpoint needs a subordinate on one side. If several pairs fit, the request is
ambiguous and refused; but on 3.6 those with the implicit endpoint `juju-info` drop out first.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from testbed.juju.errors import JujuError, UsageError
from testbed.juju.manner import Manner
from testbed.juju.state import names
from testbed.juju.state.charm import Charm, Endpoint

_OPPOSITE = {"provider": "requirer", "requirer": "provider"}
_ORDER = {"requirer": 0, "provider": 1, "peer": 2}


@dataclass(frozen=True)
class Side:
    """One side of a relation: an application and its endpoint."""

    application: str
    endpoint: Endpoint

    def __str__(self) -> str:
        return f"{self.application}:{self.endpoint.name}"


Pair = tuple[Side, Side]


def key(sides: tuple[Side, ...]) -> str:
    """Return Juju's name of a relation: `requirer:endpoint provider:endpoint`."""
    return " ".join(str(side) for side in in_order(sides))


def in_order(sides: tuple[Side, ...]) -> tuple[Side, ...]:
    """Return the sides with the requirer first."""
    return tuple(sorted(sides, key=lambda side: _ORDER[side.endpoint.role]))


def scope(sides: tuple[Side, ...]) -> str:
    """Return the scope of a relation: `container` if one of its endpoints has it."""
    containers = any(side.endpoint.scope == "container" for side in sides)
    return "container" if containers else "global"


def infer(charms: Mapping[str, Charm], first: str, second: str, manner: Manner) -> Pair:
    """Return the two sides that `juju integrate first second` joins.

    `first` and `second` are `APPLICATION[:ENDPOINT]`; the keys of `charms` are applications.
    Raise JujuError if no pair fits, or more than one.
    """
    candidates = list(_candidates(charms, first, second))
    if len(candidates) == 1:
        return candidates[0]
    if manner is Manner.JUJU_4_1:
        raise _refusal_of_4_1(first, second, candidates)
    if not candidates:
        raise JujuError("no relations found")
    explicit = [pair for pair in candidates if not any(side.endpoint.implicit for side in pair)]
    if len(explicit) == 1:
        return explicit[0]
    keys = "; ".join(sorted(f'"{key(pair)}"' for pair in candidates))
    raise JujuError(f'ambiguous relation: "{first} {second}" could refer to {keys}')


def _refusal_of_4_1(first: str, second: str, candidates: Sequence[Pair]) -> JujuError:
    reason = "no compatible endpoints found between applications"
    if candidates:
        keys = "; ".join(sorted(f'"{one} {other}"' for one, other in candidates))
        reason = f'ambiguous relation: "{first} {second}" could refer to {keys}'
    ends = f'endpoints "{first}" and "{second}"'
    return JujuError(f"adding relation between {ends}: cannot relate {ends}: {reason}")


def check_name(name: str) -> None:
    """Raise UsageError unless `name` has the form `APPLICATION[:ENDPOINT]`."""
    application, colon, endpoint = name.partition(":")
    if colon and (not endpoint or not application or ":" in endpoint):
        raise UsageError(f'endpoint "{name}" not valid')
    if not names.is_application(application):
        raise UsageError(f'application name "{application}" not valid')


def _candidates(charms: Mapping[str, Charm], first: str, second: str) -> Iterator[Pair]:
    theirs = list(_sides(charms, second))
    for one in _sides(charms, first):
        for other in theirs:
            if _fit(one, other) and _scope_fits(charms, (one, other)):
                yield one, other


def _sides(charms: Mapping[str, Charm], name: str) -> Iterator[Side]:
    application, _, wanted = name.partition(":")
    if application not in charms:
        raise JujuError(f'application "{application}" not found')
    endpoints = charms[application].all_endpoints()
    if wanted and wanted not in endpoints:
        raise JujuError(f'application "{application}" has no "{wanted}" relation')
    for endpoint in endpoints.values():
        if endpoint.role != "peer" and wanted in ("", endpoint.name):
            yield Side(application, endpoint)


def _fit(one: Side, other: Side) -> bool:
    return (
        one.application != other.application
        and one.endpoint.interface == other.endpoint.interface
        and _OPPOSITE[one.endpoint.role] == other.endpoint.role
    )


def _scope_fits(charms: Mapping[str, Charm], pair: Pair) -> bool:
    return scope(pair) == "global" or any(charms[side.application].subordinate for side in pair)

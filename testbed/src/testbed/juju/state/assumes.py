"""Whether this testbed meets the `assumes` of a charm's metadata. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from testbed.juju.errors import JujuError

JUJU_VERSION = "3.6.11"
FULL_VERSION = f"{JUJU_VERSION}-ubuntu-amd64"  # as `juju version` and `jujud version` print it
_FEATURES = {"juju": JUJU_VERSION}
_EXPRESSION = re.compile(r"\s*([a-z0-9-]+)\s*(?:(>=|<)\s*([0-9]+(?:\.[0-9]+)*))?\s*\Z")


def check(expressions: Sequence[Any]) -> None:
    """Raise JujuError, which names each unmet requirement, unless all are met."""
    unmet = [reason for reason in map(_unmet, expressions) if reason]
    if unmet:
        lines = "".join(f"\n  - {reason}" for reason in unmet)
        raise JujuError(f"Charm feature requirements cannot be met:{lines}")


def _unmet(expression: Any) -> str:
    if isinstance(expression, dict):
        return _unmet_group(expression)
    match = _EXPRESSION.match(str(expression))
    if match is None:
        raise JujuError(f'cannot parse assumes expression "{expression}"')
    feature, comparison, wanted = match.groups()
    if feature not in _FEATURES:
        return f'charm requires feature "{feature}" but model does not support it'
    if comparison is None or _compares(_FEATURES[feature], comparison, wanted):
        return ""
    return (
        f'charm requires feature "{feature}" (version {comparison} {wanted}) '
        f"but model currently supports version {_FEATURES[feature]}"
    )


def _unmet_group(group: dict[str, Any]) -> str:
    for kind, members in group.items():
        reasons = [_unmet(member) for member in members]
        met = all(not reason for reason in reasons)
        if kind == "any-of":
            met = any(not reason for reason in reasons)
        elif kind != "all-of":
            raise JujuError(f'cannot parse assumes expression: unknown group "{kind}"')
        if not met:
            return "; ".join(reason for reason in reasons if reason)
    return ""


def _compares(present: str, comparison: str, wanted: str) -> bool:
    have, want = _numbers(present), _numbers(wanted)
    return have >= want if comparison == ">=" else have < want


def _numbers(version: str) -> tuple[int, ...]:
    numbers = [int(part) for part in version.split(".")]
    return tuple(numbers + [0] * (3 - len(numbers)))

"""Whether this testbed meets the `assumes` of a charm's metadata. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from testbed.juju.errors import JujuError, UnsupportedError

_EXPRESSION = re.compile(r"juju >= ([0-9]+(?:\.[0-9]+)*)")


def check(expressions: Sequence[Any], version: str) -> None:
    """Raise JujuError unless this Juju meets each `juju >= VERSION`."""
    for expression in expressions:
        match = _EXPRESSION.fullmatch(str(expression))
        if match is None:
            raise UnsupportedError(f'assumes expression "{expression}"')
        wanted = match[1]
        if _numbers(version) < _numbers(wanted):
            every = wanted + ".0" * (2 - wanted.count("."))
            raise JujuError(
                "Charm cannot be deployed because:\n"
                f"  - charm requires Juju version >= {every}, model has version {version}"
            )


def _numbers(version: str) -> list[int]:
    """Return what sorts versions: [4, 1] for `4.1-beta2`."""
    return [int(part) for part in version.partition("-")[0].split(".")]

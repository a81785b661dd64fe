"""Whether this testbed meets the `assumes` of a charm's metadata. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from testbed.juju.errors import JujuError, UnsupportedError

_VERSION = re.compile(r"([0-9]+)(?:\.([0-9]+))?(?:-([a-z]+)|\.)?([0-9]+)?")
_EXPRESSION = re.compile(r"\s*([a-z0-9-]+)\s*(?:(>=|<)\s*([0-9]+(?:\.[0-9]+)*))?\s*\Z")


def check(expressions: Sequence[Any], version: str) -> None:
    """Raise JujuError, which names each unmet requirement, unless this Juju meets all."""
    unmet = [reason for reason in (_unmet(str(one), version) for one in expressions) if reason]
    if unmet:
        lines = "".join(f"\n  - {reason}" for reason in unmet)
        raise JujuError(f"Charm cannot be deployed because:{lines}")


def _unmet(expression: str, version: str) -> str:
    match = _EXPRESSION.match(expression)
    if match is None:
        raise UnsupportedError(f'assumes expression "{expression}"')
    feature, comparison, wanted = match.groups()
    if feature == "k8s-api":
        return "charm must be deployed on a Kubernetes cloud"
    if feature != "juju":
        return f'charm requires feature "{feature}" but model does not support it'
    if comparison is None or _compares(version, comparison, wanted):
        return ""
    return f"charm requires Juju version {comparison} {_full(wanted)}, model has version {version}"


def _full(version: str) -> str:
    """Return a version with all its numbers, as Juju prints what a charm wants."""
    return version + ".0" * (2 - version.count("."))


def _compares(present: str, comparison: str, wanted: str) -> bool:
    have, want = _key(present), _key(wanted)
    return have >= want if comparison == ">=" else have < want


def _key(version: str) -> tuple[int, int, bool, str, int]:
    """Return what sorts versions: `4.1-beta2` is before `4.1.0`."""
    match = _VERSION.match(version)
    assert match is not None
    major, minor, tag, patch = match.groups()
    return int(major), int(minor or 0), not tag, tag or "", int(patch or 0)

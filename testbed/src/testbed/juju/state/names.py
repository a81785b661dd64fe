"""What the names of applications, units, machines and models look like. Pure."""

from __future__ import annotations

import re

_APPLICATION = r"[a-z][a-z0-9]*(?:-[a-z0-9]*[a-z][a-z0-9]*)*"
_NUMBER = r"(?:0|[1-9][0-9]*)"
_APPLICATION_RE = re.compile(rf"{_APPLICATION}\Z")
_UNIT_RE = re.compile(rf"({_APPLICATION})/{_NUMBER}\Z")
_UNIT_OR_LEADER_RE = re.compile(rf"({_APPLICATION})/(?:{_NUMBER}|leader)\Z")
_MACHINE_RE = re.compile(rf"{_NUMBER}\Z")


def is_application(name: str) -> bool:
    return bool(_APPLICATION_RE.match(name))


def is_unit(name: str) -> bool:
    return bool(_UNIT_RE.match(name))


def is_unit_or_leader(name: str) -> bool:
    return bool(_UNIT_OR_LEADER_RE.match(name))


def is_machine(name: str) -> bool:
    return bool(_MACHINE_RE.match(name))


def application_of(unit: str) -> str:
    """Return `easyrsa` for `easyrsa/0`."""
    return unit.partition("/")[0]


def number_of(unit: str) -> int:
    """Return 12 for `easyrsa/12`."""
    return int(unit.partition("/")[2])


def tag_of(unit: str) -> str:
    """Return the name of a unit's agent: `unit-easyrsa-0` for `easyrsa/0`."""
    return "unit-" + unit.replace("/", "-")


def natural(name: str) -> list[int | str]:
    """Return a sort key that puts `a/10` after `a/9`."""
    return [int(part) if part.isdigit() else part for part in re.split(r"(\d+)", name)]

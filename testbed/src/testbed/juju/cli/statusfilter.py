"""The selectors of `juju status`. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase
from typing import Any

from testbed.juju.state import names


def only(document: dict[str, Any], selectors: Sequence[str]) -> dict[str, Any]:
    """Return the document with only what the selectors name.

    A selector is the name of an application, a unit or a machine, in which `*` stands for any
    characters. As in Juju, a unit brings along its principal and its subordinates.
    """
    if not selectors:
        return document
    everything = document["applications"]
    kept = {name: _kept_units(entry, selectors) for name, entry in everything.items()}
    seen = {names.application_of(unit) for units in kept.values() for unit in _everyone(units)}
    applications = {
        name: {**entry, "units": kept[name]} if "units" in entry else entry
        for name, entry in everything.items()
        if name in seen or _named(selectors, name)
    }
    used = {unit["machine"] for units in kept.values() for unit in units.values()}
    machines = {
        number: machine
        for number, machine in document["machines"].items()
        if number in used or _named(selectors, number)
    }
    return {**document, "applications": applications, "machines": machines}


def _kept_units(entry: dict[str, Any], selectors: Sequence[str]) -> dict[str, Any]:
    return {
        name: unit
        for name, unit in entry.get("units", {}).items()
        if _named(selectors, unit["machine"])
        or any(
            _named(selectors, each) or _named(selectors, names.application_of(each))
            for each in _everyone({name: unit})
        )
    }


def _everyone(units: dict[str, Any]) -> list[str]:
    """Return the names of units and of their subordinates."""
    return [n for name, unit in units.items() for n in (name, *unit.get("subordinates", {}))]


def _named(selectors: Sequence[str], name: str) -> bool:
    return any(fnmatchcase(name, selector) for selector in selectors)

"""A charm's options: their types, the operator's values, the values that a hook sees. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from testbed.juju.errors import JujuError

Value = str | int | bool


@dataclass(frozen=True)
class Option:
    """One option of config.yaml."""

    type: str
    description: str
    default: Value | None


def parse_options(document: Mapping[str, Any]) -> dict[str, Option]:
    """Return the options of config.yaml."""
    return {
        name: Option(
            spec.get("type", "string"), str(spec.get("description") or ""), spec.get("default")
        )
        for name, spec in (document.get("options") or {}).items()
    }


def typed(options: Mapping[str, Option], given: Mapping[str, Any]) -> dict[str, Value]:
    """Return options in their types, from texts of the command line or values of a bundle.

    Raise JujuError for an unknown option or a value of another type.
    """
    return {name: _typed(options, name, value) for name, value in given.items()}


def _typed(options: Mapping[str, Option], name: str, value: Any) -> Value:
    if name not in options:
        raise JujuError(f'unknown option "{name}"')
    kind = options[name].type
    if isinstance(value, str):
        return _parsed(kind, name, value)
    if _fits(kind, value):
        return value
    raise JujuError(f'option "{name}" expected {kind}, got {value!r}')


def _parsed(kind: str, name: str, text: str) -> Value:
    try:
        return _PARSERS[kind](text)
    except ValueError as error:
        raise JujuError(f'option "{name}" expected {kind}, got "{text}"') from error


def effective(options: Mapping[str, Option], user: Mapping[str, Value]) -> dict[str, Value]:
    """Return what `config-get` answers: the values that were set, else the defaults."""
    found = {name: user.get(name, option.default) for name, option in options.items()}
    return {name: value for name, value in found.items() if value is not None}


def report(options: Mapping[str, Option], user: Mapping[str, Value]) -> dict[str, dict[str, Any]]:
    """Return the `settings` of `juju config APP`."""
    return {name: _report_one(option, user.get(name)) for name, option in sorted(options.items())}


def _report_one(option: Option, user: Value | None) -> dict[str, Any]:
    entry: dict[str, Any] = {}
    if option.default is not None:
        entry["default"] = option.default
    entry["description"] = option.description
    value = user if user is not None else option.default
    entry["source"] = "unset" if value is None else "user" if user is not None else "default"
    entry["type"] = option.type
    if value is not None:
        entry["value"] = value
    return dict(sorted(entry.items()))


def _boolean(text: str) -> bool:
    lowered = text.strip().lower()
    if lowered in ("true", "1", "t"):
        return True
    if lowered in ("false", "0", "f"):
        return False
    raise ValueError(text)


_PARSERS = {"string": str, "int": int, "boolean": _boolean}


def _fits(kind: str, value: Any) -> bool:
    if kind == "boolean":
        return isinstance(value, bool)
    if kind == "int":
        return isinstance(value, int) and not isinstance(value, bool)
    return isinstance(value, str)

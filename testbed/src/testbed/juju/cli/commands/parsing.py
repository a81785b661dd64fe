"""Arguments that several commands have in common."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import yaml

from testbed.juju.cli.invocation import Invocation
from testbed.juju.errors import JujuError, UsageError
from testbed.juju.flags import Parsed
from testbed.juju.state.settings import Option, Value, check_value, parse_value

_MAX_VALUE = 5 * 1024 * 1024


def assignments(invocation: Invocation, words: Sequence[str]) -> dict[str, str]:
    """Return `key=value` words as a map; `key=@file` reads a file. Raise UsageError."""
    found: dict[str, str] = {}
    for word in words:
        key, assigned, value = word.partition("=")
        if not assigned or not key:
            raise UsageError(f'expected "key=value", got "{word}"')
        found[key] = _value_of_file(invocation, value[1:]) if value.startswith("@") else value
    return found


def _value_of_file(invocation: Invocation, path: str) -> str:
    """Return an option's value that a file holds: at most 5 MiB, as Juju takes it."""
    text = invocation.read(path)
    if len(text.encode()) > _MAX_VALUE:
        raise JujuError("size of option file is larger than 5M")
    return text


def option_texts(invocation: Invocation, words: Sequence[str], application: str) -> dict[str, Any]:
    """Return the options of `--config`: `key=value` words and YAML files."""
    found: dict[str, Any] = {}
    for word in words:
        if "=" in word:
            found.update(assignments(invocation, [word]))
        else:
            found.update(options_file(invocation, word, application))
    return found


def options_file(invocation: Invocation, path: str, application: str) -> dict[str, Any]:
    """Return the options of one application in a YAML file, under its name or `settings`."""
    document = yaml.safe_load(invocation.read(path))
    if not isinstance(document, dict):
        raise JujuError(f'cannot parse settings data of "{path}": expected a map')
    options = document.get(application, document.get("settings"))
    if options is None:
        raise JujuError(f'no settings found for "{application}" in "{path}"')
    return options


def config_of(options: Mapping[str, Option], given: Mapping[str, Any]) -> dict[str, Value]:
    """Return options in their types, from texts of the command line or values of a YAML file."""
    return {
        name: parse_value(options, name, value)
        if isinstance(value, str)
        else check_value(options, name, value)
        for name, value in given.items()
    }


def placements(parsed: Parsed) -> list[str]:
    """Return the targets of `--to`."""
    return [target for target in parsed.text("to").split(",") if target]


def wait_seconds(text: str) -> float | None:
    """Return 30.0 for `--wait=30s`, None without `--wait`. Raise UsageError."""
    from testbed.juju.durations import seconds

    if not text:
        return None
    try:
        return seconds(text)
    except ValueError as error:
        raise UsageError(f'invalid value "{text}" for option --wait: {error}') from error

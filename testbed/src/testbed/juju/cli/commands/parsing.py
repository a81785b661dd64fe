"""Arguments that several commands take."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import yaml

from testbed.juju.cli.invocation import Invocation
from testbed.juju.errors import JujuError, UsageError
from testbed.juju.flags import Parsed
from testbed.juju.state.settings import Option, Value, check_value, parse_value


def assignments(invocation: Invocation, words: Sequence[str]) -> dict[str, str]:
    """`key=value` words; `key=@file` takes the file's content. Raises UsageError."""
    found: dict[str, str] = {}
    for word in words:
        key, assigned, value = word.partition("=")
        if not assigned or not key:
            raise UsageError(f'expected "key=value", got "{word}"')
        found[key] = invocation.read(value[1:]) if value.startswith("@") else value
    return found


def option_texts(invocation: Invocation, words: Sequence[str], application: str) -> dict[str, Any]:
    """What `--config` gives: `key=value`, or a YAML file with the application's options."""
    found: dict[str, Any] = {}
    for word in words:
        if "=" in word:
            found.update(assignments(invocation, [word]))
        else:
            found.update(options_file(invocation, word, application))
    return found


def options_file(invocation: Invocation, path: str, application: str) -> dict[str, Any]:
    """The options of one application in a YAML file, under its name or `settings`."""
    document = yaml.safe_load(invocation.read(path))
    if not isinstance(document, dict):
        raise JujuError(f'cannot parse settings data of "{path}": expected a map')
    options = document.get(application, document.get("settings"))
    if options is None:
        raise JujuError(f'no settings found for "{application}" in "{path}"')
    return options


def config_of(options: Mapping[str, Option], given: Mapping[str, Any]) -> dict[str, Value]:
    """Given options in their types: texts of the command line, or values of a YAML file."""
    return {
        name: parse_value(options, name, value)
        if isinstance(value, str)
        else check_value(options, name, value)
        for name, value in given.items()
    }


def placements(parsed: Parsed) -> list[str]:
    """The targets of `--to`."""
    return [target for target in parsed.text("to").split(",") if target]


def wait_seconds(text: str) -> float | None:
    """`--wait=30s`; None when it was not given. Raises UsageError."""
    from testbed.juju.durations import seconds

    if not text:
        return None
    try:
        return seconds(text)
    except ValueError as error:
        raise UsageError(f'invalid value "{text}" for option --wait: {error}') from error

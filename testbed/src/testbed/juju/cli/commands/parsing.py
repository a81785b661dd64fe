"""Arguments that several commands have in common."""

from __future__ import annotations

from collections.abc import Sequence

from testbed.juju.cli.invocation import Invocation
from testbed.juju.durations import seconds
from testbed.juju.errors import UsageError
from testbed.juju.flags import Parsed


def assignments(invocation: Invocation, words: Sequence[str]) -> dict[str, str]:
    """Return `key=value` words as a map; `key=@file` reads a file. Raise UsageError."""
    found: dict[str, str] = {}
    for word in words:
        key, assigned, value = word.partition("=")
        if not assigned or not key:
            raise UsageError(f'expected "key=value", got "{word}"')
        found[key] = invocation.read(value[1:]) if value.startswith("@") else value
    return found


def placements(parsed: Parsed) -> list[str]:
    """Return the targets of `--to`."""
    return [target for target in parsed.text("to").split(",") if target]


def wait_seconds(text: str) -> float | None:
    """Return 30.0 for `--wait=30s`, None without `--wait`. Raise UsageError."""
    if not text:
        return None
    try:
        return seconds(text)
    except ValueError as error:
        raise UsageError(f'invalid value "{text}" for option --wait: {error}') from error

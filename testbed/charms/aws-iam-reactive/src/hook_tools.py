"""What Juju knows, asked for and told with its hook tools; there is no library in between."""

from __future__ import annotations

import json
import os
import subprocess
from typing import Any

UNIT = os.environ.get("JUJU_UNIT_NAME", "")


def application() -> str:
    """Return the name of the application that this unit is of."""
    return UNIT.partition("/")[0]


def run(*command: str) -> str:
    """Return what a command prints. Raises subprocess.CalledProcessError, as the original's."""
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def ask(tool: str, *arguments: str) -> Any:
    """Return a hook tool's answer."""
    return json.loads(run(tool, "--format=json", *arguments))


def relation(endpoint: str) -> str:
    """Return the id of an endpoint's relation, empty where there is none."""
    return next(iter(ask("relation-ids", endpoint)), "")


def received(*endpoints: str) -> dict[tuple[str, str, str], str]:
    """Return what the other sides' units say, by the relation's id, the unit and the key."""
    return {
        (number, unit, key): value
        for number in map(relation, endpoints)
        if number
        for unit in ask("relation-list", "-r", number)
        for key, value in ask("relation-get", "-r", number, "-", unit).items()
    }


def heard(endpoint: str) -> dict[str, str]:
    """Return what the other side's units say on an endpoint, all in one."""
    return {key: value for (_, _, key), value in received(endpoint).items()}


def tell(endpoint: str, **values: str) -> None:
    """Say something on an endpoint, in this unit's databag."""
    run("relation-set", "-r", relation(endpoint), *(f"{k}={v}" for k, v in values.items()))


def leader_settings() -> dict[str, str]:
    """Return what the leader has told all units."""
    return ask("leader-get")


def set_leader_settings(**values: str) -> None:
    """Tell all units, as their leader."""
    run("leader-set", *(f"{key}={value}" for key, value in values.items()))

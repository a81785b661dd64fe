"""What every test here has: the fakes, as fixtures."""

from tests.fakes.fixtures import (
    _goal_state,
    _quiet,
    _secret_tools,
    api,
    declare,
    deployed,
    easyrsa,
    files,
    machines,
    model,
    two,
    yaml_as_json,
)

__all__ = [
    "_goal_state",
    "_quiet",
    "_secret_tools",
    "api",
    "declare",
    "deployed",
    "easyrsa",
    "files",
    "machines",
    "model",
    "two",
    "yaml_as_json",
]

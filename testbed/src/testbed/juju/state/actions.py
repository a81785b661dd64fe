"""A charm's actions, and whether parameters fit them. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import jsonschema
import yaml

from testbed.juju.errors import JujuError, UsageError

_NAME = re.compile(r"[a-z](?:[a-z0-9-]*[a-z0-9])?\Z")


@dataclass(frozen=True)
class Action:
    """One action of actions.yaml, with the JSON schema of its parameters."""

    name: str
    description: str
    schema: Mapping[str, Any]


def is_action_name(name: str) -> bool:
    return bool(_NAME.match(name))


def parse_actions(document: Mapping[str, Any]) -> dict[str, Action]:
    """Return the actions of actions.yaml. Raise JujuError for a bad name or schema."""
    actions: dict[str, Action] = {}
    for name, spec in document.items():
        if not is_action_name(name):
            raise JujuError(f"bad action name {name}")
        actions[name] = _parse_action(name, spec or {})
    return actions


def _parse_action(name: str, spec: Mapping[str, Any]) -> Action:
    schema: dict[str, Any] = {
        "type": "object",
        "title": name,
        "description": spec.get("description", "No description"),
        "properties": spec.get("params") or {},
        "additionalProperties": spec.get("additionalProperties", True),
    }
    if "required" in spec:
        schema["required"] = spec["required"]
    try:
        jsonschema.Draft4Validator.check_schema(schema)
    except jsonschema.SchemaError as error:
        raise JujuError(
            f"invalid params schema for action schema {name}: {error.message}"
        ) from error
    return Action(name, schema["description"], schema)


def parse_params(words: list[str], base: Mapping[str, Any]) -> dict[str, Any]:
    """Return the parameters of a `--params` file, changed by `key.key=value` words.

    Raise UsageError for a word that is not an assignment.
    """
    params = json.loads(json.dumps(base))
    for word in words:
        path, assigned, text = word.partition("=")
        if not assigned:
            raise UsageError(f'argument "{word}" must be of the form key.key.key...=value')
        keys = path.split(".")
        for key in keys:
            if not is_action_name(key):
                raise UsageError(
                    f'key "{key}" must start and end with lowercase alphanumeric, '
                    "and contain only lowercase alphanumeric and hyphens"
                )
        _assign(params, keys, yaml.safe_load(text))
    return params


def _assign(params: dict[str, Any], keys: list[str], value: Any) -> None:
    for key in keys[:-1]:
        inner = params.get(key)
        if not isinstance(inner, dict):
            inner = params[key] = {}
        params = inner
    params[keys[-1]] = value


def check_params(action: Action, params: Mapping[str, Any]) -> dict[str, Any]:
    """Return the parameters with the schema's defaults filled in.

    Raise JujuError if they do not fit the schema.
    """
    errors = sorted(jsonschema.Draft4Validator(action.schema).iter_errors(params), key=str)
    if errors:
        where = ".".join(["(root)", *map(str, errors[0].absolute_path)])
        raise JujuError(
            f"validation failed: {where} : {errors[0].message}, given {json.dumps(params)}"
        )
    properties: Mapping[str, Any] = action.schema["properties"]
    defaults = {name: spec["default"] for name, spec in properties.items() if "default" in spec}
    return {**defaults, **params}

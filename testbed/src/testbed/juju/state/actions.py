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
from testbed.juju.manner import Manner

_NAME = re.compile(r"[a-z](?:[a-z0-9-]*[a-z0-9])?\Z")


@dataclass(frozen=True)
class Action:
    """One action of actions.yaml, with the JSON schema of its parameters."""

    name: str
    description: str
    schema: Mapping[str, Any]


def is_action_name(name: str) -> bool:
    return bool(_NAME.match(name))


def parse_actions(document: Mapping[str, Any], manner: Manner) -> dict[str, Action]:
    """Return the actions of actions.yaml.

    Where a charm does not say whether an action takes other parameters, 3.6 does, and 4.x not.
    """
    others = manner is Manner.JUJU_3_6
    return {
        name: _parse_action(name, spec or {}, others=others) for name, spec in document.items()
    }


def _parse_action(name: str, spec: Mapping[str, Any], *, others: bool) -> Action:
    schema: dict[str, Any] = {
        "type": "object",
        "title": name,
        "description": spec.get("description", "No description"),
        "properties": spec.get("params") or {},
        "additionalProperties": spec.get("additionalProperties", others),
    }
    if "required" in spec:
        schema["required"] = spec["required"]
    return Action(name, schema["description"], schema)


def parse_params(
    words: list[str], base: Mapping[str, Any], *, as_text: bool = False
) -> dict[str, Any]:
    """Return the parameters of a `--params` file, changed by `key.key=value` words.

    A value is YAML, or with `as_text` a string as it stands.
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
        assign(params, keys, text if as_text else yaml.safe_load(text))
    return params


def assign(params: dict[str, Any], keys: list[str], value: Any) -> None:
    """Set the value at nested keys, in place of what is there."""
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
    validator: Any = jsonschema.Draft4Validator(action.schema)
    problems = sorted(_problem(error) for error in validator.iter_errors(params))
    if problems:
        raise JujuError(f"validation failed: {'; '.join(problems)}")
    properties: Mapping[str, Any] = action.schema["properties"]
    defaults = {name: spec["default"] for name, spec in properties.items() if "default" in spec}
    return {**defaults, **params}


def _problem(error: Any) -> str:
    """Return an error of a schema in the words of Juju's gojsonschema."""
    where = ".".join(["(root)", *map(str, error.absolute_path)])
    given = json.dumps(error.instance, separators=(",", ":"), sort_keys=True)
    return f"{where} : {_description(error)}, given {given}"


def _description(error: Any) -> str:
    if error.validator == "type":
        return f"must be of type {error.validator_value}"
    if error.validator == "required":
        missing = next(name for name in error.validator_value if name not in error.instance)
        return f'"{missing}" property is missing and required'
    if error.validator == "additionalProperties":
        unknown = min(set(error.instance) - set(error.schema.get("properties", {})))
        return f'additional property "{unknown}" is not allowed'
    return error.message

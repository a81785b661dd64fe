# SPDX-License-Identifier: Apache-2.0

"""YAML and JSON in which each value is the text that somebody wrote. Pure.

YAML itself reads an account id without quotes as a number, and drops its leading zero.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any, ClassVar

import yaml

from text import quoted

Value = None | str | list["Value"] | dict[str, "Value"]

_NULLS = {"", "~", "null", "Null", "NULL"}


def _value(loader: Any, node: Any) -> Value:
    """Return the value of a node, whatever its tag says. Maps are not merged."""
    if isinstance(node, yaml.ScalarNode):
        return None if not node.style and node.value in _NULLS else node.value
    if isinstance(node, yaml.SequenceNode):
        return [loader.construct_object(each) for each in node.value]
    try:
        return _unique([*map(loader.construct_object, pair)] for pair in node.value)
    except ValueError as error:
        raise yaml.MarkedYAMLError(problem=str(error), problem_mark=node.start_mark) from error


class _Loader(yaml.CBaseLoader):
    yaml_constructors: ClassVar[Any] = {None: _value}


def documents(text: str) -> list[Value]:
    """Return what each document of ``text`` holds: JSON, of which the AWS CLI prints one for each
    principal, and then YAML.

    Raises:
        ValueError: it is neither, a key is there twice, or merges maps.
    """
    decoder = json.JSONDecoder(object_pairs_hook=_unique, parse_int=str, parse_float=str)
    found, rest = list[Value](), text.strip()
    while rest.startswith(("{", "[")):
        try:
            value, end = decoder.raw_decode(rest)
        except (json.JSONDecodeError, RecursionError):
            break  # YAML may begin so, too.
        found.append(value)
        rest = rest[end:].lstrip()
    try:
        return [*found, *yaml.load_all(rest, _Loader)]
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f"line {mark.line + 1}: " if mark else ""
        problem = f"{where}{error.problem or error.context or 'it is not YAML'}"
    except (yaml.YAMLError, UnicodeError, RecursionError):
        problem = "it has a character that YAML does not allow, or is nested too deep"
    raise ValueError(f"document {len(found) + 1}: {problem}" if found else problem)


def _unique(pairs: Iterable[Sequence[Any]]) -> dict[str, Value]:
    """Return a map. Raise ValueError if a key is not a text, is there twice, or is a merge key: to
    drop what that merges would lose people."""
    found = dict[str, Value]()
    for key, value in pairs:
        if not isinstance(key, str) or key == "<<":
            raise ValueError("a key must be a text, and no merge key (<<)")
        if key in found:
            raise ValueError(f"the key {quoted(key)} is there twice")
        found[key] = value
    return found


def keys_of(value: Value) -> dict[str, Value]:
    """Return a map with its keys as all tools write them, in small letters and without ``_``;
    empty for any other value. Raise ValueError if two keys become the same."""
    if not isinstance(value, dict):
        return {}
    return _unique([key.lower().replace("_", ""), inner] for key, inner in value.items())


def text_of(keys: dict[str, Value], key: str) -> str:
    """Return the text behind a key; empty without the key. Raise ValueError for another value."""
    value = keys.get(key)
    if value is None or isinstance(value, str):
        return value or ""
    raise ValueError(f"{key} is not a text")


def items(name: str, value: Value) -> list[tuple[str, Value]]:
    """Return the values of a list or of a map, with their places; of None, none. Raise ValueError
    if it is neither."""
    if value is None:
        return []
    if isinstance(value, dict):
        return [(f"{name}.{key[:60]}", inner) for key, inner in value.items()]
    if isinstance(value, list):
        return [(f"{name}[{number}]", inner) for number, inner in enumerate(value)]
    raise ValueError(f"{name} is not a list")

# SPDX-License-Identifier: Apache-2.0

"""YAML and JSON in which each value is the text that somebody wrote. Pure.

YAML itself reads an account id without quotes as a number, and drops its leading zero.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from typing import Any, cast

import yaml

Value = None | str | list["Value"] | dict[str, "Value"]

_NULLS = {"", "~", "null", "Null", "NULL"}
_SPACE = re.compile(r"\s*")
_NOT_UNICODE = "it is not valid Unicode"


def load(text: str) -> Value:
    """Return what ``text`` holds, a list, a map, a text or None; None too if it is empty.

    Raises:
        ValueError: it is not one document, or `documents` refuses it.
    """
    found = documents(text)
    if len(found) > 1:
        raise ValueError(f"it has {len(found)} documents, keep one of them")
    return found[0] if found else None


def documents(text: str) -> list[Value]:
    """Return what each document of ``text`` holds: JSON, of which the AWS CLI prints one for each
    principal, and then YAML.

    Raises:
        ValueError: it is neither, or holds what no list of mappings needs: a key twice, aliases,
            or collections that are nested too deep.
    """
    found, rest = _json(text)
    if found and not rest:
        return found
    try:
        return [*found, *_yaml(rest)]
    except ValueError as error:
        where = f"document {len(found) + 1}: " if found else ""
        raise ValueError(f"{where}{error}") from error


def text_of(keys: dict[str, Value], key: str, place: str = "") -> str:
    """Return the text behind a key, empty without one. Raise ValueError if it is no text."""
    value = keys.get(key)
    if value is None or isinstance(value, str):
        return value or ""
    raise ValueError(f"{place}{key} is not a text")


def lowered(place: str, value: dict[str, Value]) -> dict[str, Value]:
    """Return a map with its keys in lower case. Raise ValueError if that makes two the same."""
    found = {key.lower(): inner for key, inner in value.items()}
    if len(found) < len(value):
        raise ValueError(f"{place}: a key is there twice, in capital and in small letters")
    return found


def _json(text: str) -> tuple[list[Value], str]:
    """Return the JSON with which ``text`` begins, and what is left of the text."""
    decoder = json.JSONDecoder(
        object_pairs_hook=_unique, parse_int=str, parse_float=str, parse_constant=str
    )
    found: list[Value] = []
    begin = _after_space(text, 0)
    while text.startswith(("{", "["), begin):
        try:
            value, end = decoder.raw_decode(text, begin)
            found.append(_texts(value))
        except (json.JSONDecodeError, RecursionError):
            break
        begin = _after_space(text, end)
    return found, text[begin:]


def _after_space(text: str, begin: int) -> int:
    found = _SPACE.match(text, begin)
    return found.end() if found else begin


def _unique(pairs: Sequence[tuple[str, Any]]) -> dict[str, Value]:
    found = dict[str, Value]()
    for key, value in pairs:
        if key in found:
            raise ValueError(f"the key {_texts(key)!r} is there twice")
        found[str(_texts(key))] = _texts(value)
    return found


def _texts(value: Any) -> Value:
    """Return a value of JSON with the texts that YAML has for it; its maps have these already."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return list(map(_texts, cast("list[Any]", value)))
    if isinstance(value, str):
        try:
            # JSON may have half of a pair of surrogates, which nobody can write on.
            value.encode()
        except UnicodeEncodeError as error:
            raise ValueError(_NOT_UNICODE) from error
    return value


def _yaml(text: str) -> list[Value]:
    # The package's types leave out what it returns.
    events: Iterator[Any] = cast("Any", yaml).parse(text, Loader=yaml.CBaseLoader)
    try:
        return [
            _value(next(events), events)
            for event in events
            if isinstance(event, yaml.DocumentStartEvent)
        ]
    except yaml.MarkedYAMLError as error:
        problem = error.problem or error.context or "it is not YAML"
        mark = error.problem_mark or error.context_mark
        raise ValueError(f"line {mark.line + 1}: {problem}" if mark else problem) from error
    except yaml.YAMLError as error:
        raise ValueError("it holds a character that YAML does not allow") from error
    except UnicodeError as error:
        raise ValueError(_NOT_UNICODE) from error
    except RecursionError as error:
        raise ValueError("its lists and maps are nested too deep") from error


def _value(event: Any, events: Iterator[Any]) -> Value:
    """Return the value that begins with ``event``, whatever its tag says.

    A list of mappings needs no aliases, and a short text with them may mean billions of values.
    """
    if isinstance(event, yaml.AliasEvent):
        raise _error(event, "aliases (*) are not read here, write the value out")
    if isinstance(event, yaml.ScalarEvent):
        return None if not event.style and event.value in _NULLS else event.value
    if isinstance(event, yaml.SequenceStartEvent):
        items: list[Value] = []
        while not isinstance(item := next(events), yaml.SequenceEndEvent):
            items.append(_value(item, events))
        return items
    found: dict[str, Value] = {}
    while not isinstance(begin := next(events), yaml.MappingEndEvent):
        key = _value(begin, events)
        if not isinstance(key, str):
            raise _error(begin, "a key must be a text")
        if key == "<<":
            # To drop what it merges would lose people that other programs map.
            raise _error(begin, "merge keys (<<) are not read here, write the keys out")
        if key in found:
            raise _error(begin, f"the key {key!r} is there twice")
        found[key] = _value(next(events), events)
    return found


def _error(event: Any, problem: str) -> yaml.MarkedYAMLError:
    return yaml.MarkedYAMLError(problem=problem, problem_mark=event.start_mark)

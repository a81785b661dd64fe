# SPDX-License-Identifier: Apache-2.0

"""YAML in which each value is the text that somebody wrote. Pure.

YAML itself reads an account id without quotes as a number, and drops its leading zero.
"""

from __future__ import annotations

from typing import Any, cast

import yaml

Value = None | str | list["Value"] | dict[str, "Value"]

# How many values a text may have, with its aliases written out: a short text may mean billions.
# The largest file that Juju takes has half as many.
MOST_VALUES = 1_000_000
MAX_DEPTH = 20
_TAG = "tag:yaml.org,2002:"
_SCALARS = {f"{_TAG}{name}" for name in ("str", "int", "float", "bool", "null", "timestamp")}
_COLLECTIONS = {f"{_TAG}seq", f"{_TAG}map"}
_NULLS = {"", "~", "null", "Null", "NULL"}


def load(text: str) -> Value:
    """Return what ``text`` holds, a list, a map, a text or None; None too if it is empty.

    Raises:
        ValueError: it is not one YAML document, or `documents` refuses it.
    """
    found = documents(text)
    if len(found) > 1:
        raise ValueError(f"it has {len(found)} documents, keep one of them")
    return found[0] if found else None


def documents(text: str) -> list[Value]:
    """Return what each document of ``text`` holds.

    Raises:
        ValueError: it is not YAML, or holds what no list of mappings needs: tags of other types,
            a key twice, collections that are nested too deep, or too many values.
    """
    builder = _Builder()
    # The package's types leave out what it returns.
    parse = cast("Any", yaml).parse
    try:
        for event in parse(text, Loader=yaml.CSafeLoader):
            builder.take(event)
    except UnicodeError as error:
        raise ValueError("it is not valid Unicode") from error
    except yaml.MarkedYAMLError as error:
        problem = error.problem or error.context or "it is not YAML"
        raise ValueError(_line(error.problem_mark or error.context_mark, problem)) from error
    except yaml.YAMLError as error:
        raise ValueError("it holds a character that YAML does not allow") from error
    return builder.roots


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


def _line(mark: Any, problem: str) -> str:
    return f"line {mark.line + 1}: {problem}" if mark else problem


class _Builder:
    """Builds the value from YAML's events, without recursion.

    Of ten thousand entries, that takes 0.15 s, and PyYAML's base loader, which keeps texts too,
    0.22 s.

    An alias shares its anchor's value, and counts as if that were written out: whoever reads the
    value reads it as often.
    """

    def __init__(self) -> None:
        self.roots: list[Value] = []
        # The collections that are open, each with its anchor and the number of values before it,
        # and the keys that await a value.
        self._open: list[tuple[list[Value] | dict[str, Value], str, int]] = []
        self._keys: list[str | None] = []
        # Values, and of how many each consists. One without an anchor has the empty text as its
        # key. No alias can name that.
        self._anchors: dict[str, tuple[Value, int]] = {}
        self._number = 0

    def take(self, event: yaml.Event) -> None:
        if isinstance(event, yaml.ScalarEvent):
            value = _scalar(event)
            self._anchors[event.anchor or ""] = value, 1
            self._count(1)
            self._add(event, value)
        elif isinstance(event, yaml.CollectionStartEvent):
            self._begin(event)
        elif isinstance(event, yaml.CollectionEndEvent):
            self._end(event)
        elif isinstance(event, yaml.AliasEvent):
            if event.anchor not in self._anchors:
                raise _error(event, f"no value before it has the anchor &{event.anchor}")
            value, number = self._anchors[event.anchor]
            self._count(number)
            self._add(event, value)
        elif isinstance(event, yaml.DocumentStartEvent):
            # An anchor is known in its own document.
            self._anchors = {}

    def _begin(self, event: Any) -> None:
        if event.tag not in (None, "!", *_COLLECTIONS):
            raise _error(event, f"the tag {event.tag} has no meaning here")
        if len(self._open) >= MAX_DEPTH:
            raise _error(event, f"lists and maps are nested deeper than {MAX_DEPTH}")
        is_map = isinstance(event, yaml.MappingStartEvent)
        self._open.append(({} if is_map else [], event.anchor or "", self._number))
        self._count(1)
        self._keys.append(None)

    def _end(self, event: Any) -> None:
        value, anchor, before = self._open.pop()
        self._keys.pop()
        self._anchors[anchor] = value, self._number - before
        self._add(event, value)

    def _count(self, number: int) -> None:
        self._number += number
        if self._number > MOST_VALUES:
            raise ValueError(f"it has more than {MOST_VALUES:,} values, with aliases written out")

    def _add(self, event: Any, value: Value) -> None:
        if not self._open:
            self.roots.append(value)
            return
        parent, key = self._open[-1][0], self._keys[-1]
        if isinstance(parent, list):
            parent.append(value)
        elif key is None:
            self._keys[-1] = _key(event, parent, value)
        else:
            parent[key] = value
            self._keys[-1] = None


def _key(event: Any, parent: dict[str, Value], value: Value) -> str:
    if not isinstance(value, str):
        raise _error(event, "a key must be a text")
    if value == "<<":
        # To drop what it merges would lose people that other programs map.
        raise _error(event, "merge keys (<<) are not read here, write the keys out")
    if value in parent:
        raise _error(event, f"the key {value!r} is there twice")
    return value


def _scalar(event: Any) -> str | None:
    if event.tag is None and not event.style and event.value in _NULLS:
        return None
    if event.tag not in (None, "!", *_SCALARS):
        raise _error(event, f"the tag {event.tag} has no meaning here")
    return event.value


def _error(event: yaml.Event, problem: str) -> ValueError:
    return ValueError(_line(event.start_mark, problem))

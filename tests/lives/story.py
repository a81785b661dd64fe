"""A life as a story: one line a step, in the field's words."""

from __future__ import annotations

import dataclasses
import json
import shlex
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from tests.lives.broken import Broken
from tests.lives.steps import Begin, Step, Story


def size(story: Story) -> tuple[int, int]:
    """How long a story is."""
    return len(story.steps), len(repr(story))


def shorter(story: Story) -> Iterator[Story]:
    """Yield what a story may be without: some of its steps, a fault, a detail."""
    steps, begin = story.steps, story.begin
    if len(steps) > 3:
        half = len(steps) // 2
        yield Story(begin, steps[half:])
        yield Story(begin, steps[:half])
    for at in range(len(steps)):
        yield Story(begin, steps[:at] + steps[at + 1 :])
    for at, step in enumerate(steps):
        for less in _less(step):
            yield Story(begin, (*steps[:at], less, *steps[at + 1 :]))
    plain = Begin()
    for field in dataclasses.fields(Begin):
        value = getattr(plain, field.name)
        if getattr(begin, field.name) != value:
            yield Story(dataclasses.replace(begin, **{field.name: value}), steps)


def _less(step: Step) -> Iterator[Step]:
    for at in range(len(step.meanwhile)):
        yield dataclasses.replace(step, meanwhile=step.meanwhile[:at] + step.meanwhile[at + 1 :])
    rows = step.what.get("rows", ())
    for at, row in enumerate(rows):
        yield dataclasses.replace(step, what={**step.what, "rows": rows[:at] + rows[at + 1 :]})
        for key in row:
            if key != "who":
                less = {k: v for k, v in row.items() if k != key}
                changed = [*rows[:at], less, *rows[at + 1 :]]
                yield dataclasses.replace(step, what={**step.what, "rows": changed})
    for key in step.what:
        if key in _OPTIONAL.get(step.do, ()):
            what = {k: v for k, v in step.what.items() if k != key}
            yield dataclasses.replace(step, what=what)


# What a unit runs: the one that is named, or the next one that can.
BY_UNIT = ("hook", "grant", "revoke", "look")
# What a step may go without.
_OPTIONAL = {
    "hook": ("unit",),
    "grant": ("unit", "role", "namespaces", "groups", "for"),
    "revoke": ("unit",),
    "look": ("unit",),
    "time": ("bell",),
    "declare": ("form",),
    "remove": ("backwards", "hooks", "heir"),
    "webhook": ("only",),
    "delegate maps": ("masters", "ends", "kept"),
    "person maps": ("group", "other"),
    "certificates": ("other",),
}


def told(story: Story, notes: Sequence[str], broken: Broken | None) -> str:
    """Return the story as lines: what happened in each step, by ``notes``, and what is broken."""
    lines = [_begin(story.begin), *notes, f"→ {broken or 'every promise holds'}"]
    lines.append(f"again: make lives STORY={shlex.quote(code(story))}")
    return "\n".join(f"  {line}" for line in lines)


def code(value: Any) -> str:
    """Return a story or a part of it as Python has it, without what goes without saying."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        said = [
            f"{field.name}={code(mine)}"
            for field in dataclasses.fields(value)
            if (mine := getattr(value, field.name)) != field.default and mine not in ({}, ())
        ]
        return f"{type(value).__name__}({', '.join(said)})"
    if isinstance(value, tuple):
        return f"({''.join(f'{code(each)}, ' for each in value)})"
    if isinstance(value, list):
        return f"[{', '.join(map(code, value))}]"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{code(key)}: {code(each)}' for key, each in value.items())}}}"
    return json.dumps(value) if isinstance(value, str) else repr(value)


def _begin(begin: Begin) -> str:
    units = f"{begin.units} unit{'s' if begin.units > 1 else ''}"
    rest = "at rest" if begin.settled else "not deployed yet"
    return f"{units} by {begin.endpoint}, {begin.provider}, Kubernetes {begin.kubernetes}, {rest}"


def words(step: Step) -> str:
    """Return a step as a person says it."""
    what = dict(step.what)
    who = f"unit {what.pop('unit', 0)}: " if step.do in BY_UNIT else _ACTORS.get(step.do, "")
    return f"{who}{_DONE.get(step.do, _plain)(step.do, what)}"


def _plain(do: str, what: dict[str, Any]) -> str:
    return " ".join([do, *(f"{key}={_shown(value)}" for key, value in what.items())])


def _shown(value: Any) -> str:
    if isinstance(value, list | dict):
        return code(value)
    return json.dumps(value) if isinstance(value, bool) else str(value)


_OPERATOR = (
    "declare",
    "configure",
    "webhook",
    "certificates",
    "remove",
    "deploy again",
    "another version",
)
_ACTORS = {
    **dict.fromkeys(_OPERATOR, "operator: "),
    **dict.fromkeys(("leader moves", "agent", "refresh", "unit comes", "unit goes"), "juju: "),
    "provider": "provider: ",
}
_DONE: dict[str, Callable[[str, dict[str, Any]], str]] = {
    "grant": lambda _, what: _plain("grant-access", what),
    "revoke": lambda _, what: _plain("revoke-access", what),
    "look": lambda _, what: _plain(what.pop("action"), what),
    "declare": lambda _, what: f"mappings = {_option(what)}",
    "provider": lambda _, what: what["kind"],
    "configure": lambda _, what: _plain("juju config", what),
    "certificates": lambda *_: "juju integrate or remove-relation of the certificates",
    "webhook": lambda _, what: _plain("authn-webhook-endpoint", what),
    "rest": lambda *_: "faults stop, and each unit has its hooks",
}


def _option(what: dict[str, Any]) -> str:
    rows = [" ".join(f"{k}={v}" for k, v in row.items()) for row in what.get("rows", ())]
    form = what.get("form", "list")
    return f"[{'; '.join(rows)}]" + (f" as {form}" if form != "list" else "")


def short(request: str) -> str:
    """Return a request's method and the end of its path."""
    method, _, path = request.partition(" ")
    return f"{method} …/{'/'.join(path.split('/')[-2:])}"

"""A life as a story: one line a step, in the field's words."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

from tests.lives.broken import Broken
from tests.lives.steps import Begin, Between, Fault, Step, Story


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
        if key in _OPTIONAL:
            what = {k: v for k, v in step.what.items() if k != key}
            yield dataclasses.replace(step, what=what)


# What a step may go without.
_OPTIONAL = (
    *("unit", "role", "namespaces", "groups", "name", "for", "group", "other", "masters", "bell"),
    *("only", "form", "backwards"),
)


def told(story: Story, broken: Broken | None) -> str:
    """Return the story, and what is broken."""
    lines = [_begin(story.begin), *(_line(step) for step in story.steps)]
    lines.append(str(broken) if broken else "every promise holds")
    lines.append(f"again: python -m tests.lives --story '{story!r}'")
    return "\n".join(f"  {line}" for line in lines)


def _begin(begin: Begin) -> str:
    units = f"{begin.units} unit{'s' if begin.units > 1 else ''}"
    rest = "at rest" if begin.settled else "not deployed yet"
    return f"{units} by {begin.endpoint}, {begin.provider}, Kubernetes {begin.kubernetes}, {rest}"


def _line(step: Step) -> str:
    what = ", ".join(f"{key} {value}" for key, value in step.what.items())
    said = f"{step.do}{': ' if what else ''}{what}"
    return "; ".join([said, *map(_meanwhile, step.meanwhile)])


def _meanwhile(each: Fault | Between) -> str:
    kinds = {"any": "request", "write": "write", "tool": "hook tool", "list": "list"}
    if isinstance(each, Between):
        return f"before {kinds[each.of]} {each.at}: {_line(each.act)}"
    ever = ", for ever on that object" if each.lasts else ""
    return f"{kinds[each.of]} {each.at} {each.kind}{ever}"


__all__ = ["Begin", "Between", "Fault", "Step", "Story", "told"]

"""A life as a story: one line a step, in the field's words."""

from __future__ import annotations

from tests.lives.promises import Broken
from tests.lives.steps import Begin, Between, Fault, Step, Story


def size(story: Story) -> tuple[int, int]:
    """How long a story is."""
    return len(story.steps), len(repr(story))


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

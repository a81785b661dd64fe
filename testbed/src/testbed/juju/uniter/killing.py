"""Kill hooks at a chosen hook-tool call, so that tests see what an unfinished hook leaves."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from testbed.juju.errors import JujuError
from testbed.juju.hooktools.context import Context


@dataclass
class Plan:
    """Kill a unit's hooks at a hook-tool call, before the call acts.

    `at` has the number of the call, counted from 1: of a hook's first run, then of its first
    retry, and so on. Later retries are spared. The plan is for every hook that begins from now
    on; with `hook`, for hooks of that name only.
    """

    at: tuple[int, ...]
    hook: str = ""
    killed: list[dict[str, str | int]] = field(default_factory=list)
    _concerned: bool = False
    _due: dict[str, int] = field(default_factory=dict)

    def begins(self, context: Context) -> None:
        """Note that a hook begins."""
        if not context.retries:
            self._concerned = self.hook in ("", _name(context))
        if self._concerned and context.retries < len(self.at):
            self._due[context.id] = self.at[context.retries]

    def kills(self, context: Context, tool: str) -> bool:
        """Return whether to kill a hook at the call that it has just begun."""
        if context.calls != self._due.get(context.id):
            return False
        self.killed.append({"hook": _name(context), "tool": tool, "call": context.calls})
        return True

    def report(self) -> dict[str, Any]:
        """Return which hooks were killed, for `testbedctl killed`."""
        return {"at-tool-call": list(self.at), "killed": self.killed}


class Kills:
    """The last plan of each unit, by model and unit. The unit need not exist yet."""

    def __init__(self) -> None:
        self._plans: dict[tuple[str, str], Plan] = {}

    def set(self, model: str, unit: str, plan: Plan) -> None:
        """Replace the plan of a unit."""
        self._plans[model, unit] = plan

    def find(self, model: str, unit: str) -> Plan:
        """Return the plan of a unit. Raise JujuError if there never was one."""
        if (model, unit) not in self._plans:
            raise JujuError(f'no kill was ever planned for unit "{unit}"')
        return self._plans[model, unit]

    def begins(self, context: Context) -> None:
        """Note that a hook begins."""
        if plan := self._plans.get(_key(context)):
            plan.begins(context)

    def kills(self, context: Context, tool: str) -> bool:
        """Return whether to kill a hook at the call that it has just begun."""
        plan = self._plans.get(_key(context))
        return plan is not None and plan.kills(context, tool)


def _name(context: Context) -> str:
    return context.hook.name if context.hook else ""


def _key(context: Context) -> tuple[str, str]:
    return context.model.uuid, context.unit.name

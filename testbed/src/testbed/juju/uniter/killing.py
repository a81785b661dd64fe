"""Killing hooks at a chosen hook-tool call, so that tests see what a half-done hook leaves."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from testbed.juju.errors import JujuError
from testbed.juju.hooktools.context import Context


@dataclass
class Plan:
    """Kill a unit's hook at its `at`-th hook-tool call, from 1, which then has no effect: the
    next hook that begins, or every one from now on. A hook that is run again is left alone."""

    at: int
    every_hook: bool = False
    killed: list[dict[str, str]] = field(default_factory=list)
    _begun: set[str] = field(default_factory=set)
    _calls: Counter[str] = field(default_factory=Counter)

    def begins(self, context: Context) -> None:
        """A hook begins."""
        if not context.retry and (self.every_hook or not self._begun):
            self._begun.add(context.id)

    def kills(self, context: Context, tool: str) -> bool:
        """Count a call of a hook tool. Whether its hook dies now."""
        if context.id not in self._begun:
            return False
        self._calls[context.id] += 1
        if self._calls[context.id] != self.at:
            return False
        self.killed.append({"hook": context.hook.name if context.hook else "", "tool": tool})
        return True

    def report(self) -> dict[str, Any]:
        """What has come of it, for `testbedctl killed`."""
        return {"at-tool-call": self.at, "killed": self.killed}


class Kills:
    """The last plan of each unit, present or still to come, by model and unit."""

    def __init__(self) -> None:
        self._plans: dict[tuple[str, str], Plan] = {}

    def set(self, model: str, unit: str, plan: Plan) -> None:
        """Follow this plan for a unit, instead of any before."""
        self._plans[model, unit] = plan

    def find(self, model: str, unit: str) -> Plan:
        """The plan of a unit. Raises JujuError when there never was one."""
        if (model, unit) not in self._plans:
            raise JujuError(f'no kill was ever planned for unit "{unit}"')
        return self._plans[model, unit]

    def begins(self, context: Context) -> None:
        """A hook begins."""
        if plan := self._plans.get(_key(context)):
            plan.begins(context)

    def kills(self, context: Context, tool: str) -> bool:
        """Count a call of a hook tool. Whether its hook dies now."""
        plan = self._plans.get(_key(context))
        return plan is not None and plan.kills(context, tool)


def _key(context: Context) -> tuple[str, str]:
    return context.model.uuid, context.unit.name

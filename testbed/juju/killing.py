"""Killing a hook at a chosen hook-tool call, so that tests see what a half-done hook leaves."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from testbed.juju.errors import JujuError


@dataclass
class Plan:
    """Kill a unit's hook at its `at`-th hook-tool call, which then has no effect. Once.

    Counted from 1 over the next hook that begins, or over all hooks that begin from now on.
    """

    at: int
    all_hooks: bool = False
    counted: int = 0
    fired: bool = False
    hook: str = ""
    tool: str = ""
    _begun: set[str] = field(default_factory=set)

    def begins(self, context: str) -> None:
        """A hook begins."""
        if self.all_hooks or not self._begun:
            self._begun.add(context)

    def kills(self, context: str, hook: str, tool: str) -> bool:
        """Count a call of a hook tool. Whether its hook dies now."""
        if self.fired or context not in self._begun:
            return False
        self.counted += 1
        if self.counted < self.at:
            return False
        self.fired, self.hook, self.tool = True, hook, tool
        return True

    def report(self) -> dict[str, Any]:
        """What has come of it, for `testbedctl killed`."""
        report: dict[str, Any] = {
            "at-tool-call": self.at,
            "counted": self.counted,
            "fired": self.fired,
        }
        return {**report, "hook": self.hook, "tool": self.tool} if self.fired else report


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

    def begins(self, model: str, unit: str, context: str) -> None:
        """A hook begins."""
        if plan := self._plans.get((model, unit)):
            plan.begins(context)

    def kills(self, model: str, unit: str, context: str, hook: str, tool: str) -> bool:
        """Count a call of a hook tool. Whether its hook dies now."""
        plan = self._plans.get((model, unit))
        return plan is not None and plan.kills(context, hook, tool)

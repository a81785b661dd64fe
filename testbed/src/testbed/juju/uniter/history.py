"""What a unit has run, for `testbedctl hooks`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from testbed.juju.hooktools.context import Context


@dataclass(frozen=True)
class HookRun:
    """One run of a hook, an action or a command."""

    id: str
    name: str
    start: datetime
    seconds: float
    code: int
    tool_calls: int

    def report(self) -> dict[str, Any]:
        """Return the run as a JSON document."""
        return {**self.__dict__, "start": self.start.isoformat()}


def run_of(context: Context, path: str, start: datetime, took: float, code: int) -> HookRun:
    """Return the record of a run that took `took` seconds."""
    return HookRun(
        id=context.id,
        name=context.hook.name if context.hook else path or "juju-exec",
        start=start,
        seconds=round(took, 4),
        code=code,
        tool_calls=context.calls,
    )

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
    tools: dict[str, int]
    relation: str = ""
    remote: str = ""

    def report(self) -> dict[str, Any]:
        """Return the run as a JSON document."""
        document = {**self.__dict__, "start": self.start.isoformat()}
        return {**document, "tool_calls": sum(self.tools.values())}


def run_of(context: Context, path: str, start: datetime, took: float, code: int) -> HookRun:
    """Return the record of a run that took `took` seconds."""
    hook = context.hook
    return HookRun(
        id=context.id,
        name=hook.name if hook else path or "juju-exec",
        start=start,
        seconds=round(took, 4),
        code=code,
        tools=dict(sorted(context.calls.items())),
        relation=f"{hook.endpoint}:{hook.relation_id}" if hook and hook.relation_id >= 0 else "",
        remote=(hook.remote_unit or hook.remote_application) if hook else "",
    )

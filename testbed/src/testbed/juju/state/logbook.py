"""The log of a model, as `juju debug-log` shows it."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from datetime import datetime

from testbed.juju.state.status import now

LEVELS = ("TRACE", "DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
_KEPT_LINES = 200_000


@dataclass(frozen=True)
class Line:
    """One line of the log."""

    time: datetime
    entity: str  # "unit-easyrsa-0" or "machine-0"
    level: str
    module: str
    message: str

    def __str__(self) -> str:
        return f"{self.entity}: {self.time:%H:%M:%S} {self.level} {self.module} {self.message}"


class Logbook:
    """The lines of one model. The controller's lock guards it."""

    def __init__(self) -> None:
        self.lines: deque[Line] = deque(maxlen=_KEPT_LINES)

    def write(self, entity: str, level: str, module: str, message: str) -> None:
        moment = now()
        for text in message.splitlines() or [""]:
            self.lines.append(Line(moment, entity, level, module, text))

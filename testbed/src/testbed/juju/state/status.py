"""Statuses and lives, as Juju names them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timezone

ALIVE, DYING, DEAD = "alive", "dying", "dead"


def now() -> datetime:
    return datetime.now(timezone.utc)


@dataclass(frozen=True)
class Status:
    """A status as people see it, and since when."""

    current: str
    message: str = ""
    since: datetime = field(default_factory=now)

    def same(self, other: Status) -> bool:
        return (self.current, self.message) == (other.current, other.message)

"""Relations and their data."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from testbed.juju.state.endpoints import Side
from testbed.juju.state.status import ALIVE, now


@dataclass
class Databag:
    """Relation data of a unit or an application. `version` grows with every change."""

    values: dict[str, str] = field(default_factory=dict)
    version: int = 0

    def write(self, changes: dict[str, str]) -> bool:
        """Apply changes (an empty value deletes its key). Return whether anything changed."""
        before = dict(self.values)
        for key, value in changes.items():
            if value == "":
                self.values.pop(key, None)
            else:
                self.values[key] = value
        if before == self.values:
            return False
        self.version += 1
        return True


@dataclass
class Relation:
    """A relation; a peer relation has one side."""

    id: int
    sides: tuple[Side, ...]
    scope: str
    life: str = ALIVE
    joined: set[str] = field(default_factory=set)
    units: dict[str, Databag] = field(default_factory=dict)
    applications: dict[str, Databag] = field(default_factory=dict)
    since: datetime = field(default_factory=now)

    @property
    def peer(self) -> bool:
        return len(self.sides) == 1

    def side_of(self, application: str) -> Side | None:
        return next((side for side in self.sides if side.application == application), None)

    def other_side(self, application: str) -> Side:
        """Return the side that faces `application`; in a peer relation its own."""
        return next(
            (side for side in self.sides if side.application != application), self.sides[0]
        )

    def application_bag(self, application: str) -> Databag:
        return self.applications.setdefault(application, Databag())

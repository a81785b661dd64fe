"""When a unit is told that a revision of a secret has expired.

An agent has a worker for this (Juju's package worker/secretexpire). A watcher tells the worker
which revisions expire when. The worker rings at that moment, and again after five minutes, as
long as it knows the revision. Its oddities are Juju's:

- It rings for whatever expires in the same minute, too, so for some revisions too early.
- In Juju 4.1 the watcher reports no removals: what was removed rings on until the agent restarts.
- In Juju 3.6 it forgets its alarm when its last revision goes, and not for when that was set. A
  new revision with the same moment never rings.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from testbed.juju.manner import Manner
from testbed.juju.state.secrets import Secret

RETRY_DELAY = timedelta(minutes=5)

Revision = tuple[str, int]  # a secret's id, a revision's number


@dataclass
class SecretExpire:
    """The worker of one agent. All moments are UTC. Called under the controller's lock."""

    manner: Manner
    expired: list[Revision] = field(default_factory=list)
    """What has rung, until the hook `secret-expired` has told the charm."""
    alarm: datetime | None = None
    _next_trigger: datetime | None = None
    _leader: bool = False
    _reported: dict[Revision, datetime] = field(default_factory=dict)
    _revisions: dict[Revision, datetime] = field(default_factory=dict)

    def restart(self) -> None:
        """Forget everything, as an agent does that restarts."""
        self.expired.clear()
        self._reported.clear()
        self._revisions.clear()
        self.alarm = self._next_trigger = None

    def look(self, unit: str, secrets: Iterable[Secret], now: datetime, *, leader: bool) -> None:
        """Hear of the secrets that a unit manages, and ring if it is time."""
        if leader != self._leader:
            self.restart()
            self._leader = leader
        self._hear(dict(_expiries(unit, secrets, leader=leader)), now)
        if self.alarm is not None and self.alarm <= now:
            self._ring(now)

    def completed(self, revision: Revision) -> None:
        """Note that the hook for a revision has succeeded."""
        if revision in self.expired:
            self.expired.remove(revision)

    def _hear(self, present: dict[Revision, datetime], now: datetime) -> None:
        changed = {key: at for key, at in present.items() if self._reported.get(key) != at}
        gone = self._reported.keys() - present.keys()
        self._reported = present
        if self.manner is Manner.JUJU_4_1:
            gone = set[Revision]()
        for key in gone:
            self._revisions.pop(key, None)
        self._revisions |= changed
        if changed or gone:
            self._set_alarm(now)

    def _ring(self, now: datetime) -> None:
        for key, at in self._revisions.items():
            if at.replace(second=0, microsecond=0) <= now:
                self._revisions[key] = at + RETRY_DELAY
                if key not in self.expired:
                    self.expired.append(key)
        self._set_alarm(now)

    def _set_alarm(self, now: datetime) -> None:
        if not self._revisions:
            self.alarm = None
            return
        self._revisions = {key: max(at, now) for key, at in self._revisions.items()}
        soonest = min(self._revisions.values())
        if soonest != self._next_trigger:
            self.alarm = self._next_trigger = soonest


def _expiries(
    unit: str, secrets: Iterable[Secret], *, leader: bool
) -> Iterable[tuple[Revision, datetime]]:
    for secret in secrets:
        if secret.managed_by(unit, leader=leader):
            for number, revision in secret.revisions.items():
                if revision.expire is not None:
                    yield (secret.id, number), revision.expire

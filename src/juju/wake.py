# SPDX-License-Identifier: Apache-2.0

"""The unit's alarm clock: a hook at a time that no event of Juju announces.

Pods become ready, API servers return and control planes render their files without an event, and
access ends at a time of its own. The next update-status may be an hour away. So a secret of the
unit's own expires then, and Juju runs the hook secret-expired.

Juju rings too early if another secret expires in the same minute. Then it takes no notice of that
time any more, and rings every five minutes until another time is set. The secret is never removed:
Juju 4 goes on to ring for one that is gone.
"""

from __future__ import annotations

import contextlib
import datetime
from collections.abc import Iterable

import ops

import times
from memory import Memory

# After how long the unit looks again at what others do, and after how long it goes on with work
# that it had no time left for.
_POLL_SECONDS, _GO_ON_SECONDS = 10.0, 1.0
# How long it looks again while nothing happens; after that, update-status is often enough. It
# waits a quarter as long again as it has waited, so that a model with a problem comes to rest.
_PATIENCE = 3600.0
# How often it looks at access that has not ended in time: until it has ended.
_OVERDUE_SECONDS = 120.0
# How soon it rings again after it rang for an end: who may write mappings could otherwise keep the
# machine busy with ends a second apart.
_SPACING_SECONDS = 20.0
_LABEL = "alarm"
_DESCRIPTION = "wakes the unit when it expires, and has nothing secret in it"
# Juju keeps no secret without a value.
_CONTENT = {"purpose": "to expire"}
# A secret's expiry can be changed, but not taken back.
NEVER = datetime.datetime(2100, 1, 1, tzinfo=datetime.timezone.utc)


class Wake:
    """When the unit wakes by itself: it remembers when access ends next, and how long it waits."""

    def __init__(self, unit: ops.Unit, memory: Memory):
        self._unit, self._memory = unit, memory
        self._rang = False
        self._ends: list[float] | None = None
        self.polls = False  # Whether others must act, and no event of Juju announces it.
        self.goes_on = False  # Whether this hook got on, and had no time left for the rest.

    def note(self, event: ops.EventBase) -> None:
        """Note whether ``event`` is the alarm, or something that ends a wait."""
        if isinstance(event, ops.SecretExpiredEvent) and event.secret.label == _LABEL:
            # A killed hook may have lost that it is set.
            self._memory.rings = self._rang = True
        elif not isinstance(event, ops.UpdateStatusEvent):
            self._memory.since = 0.0

    def expect(self, ends: Iterable[datetime.datetime]) -> None:
        """Expect the ``ends`` of access at these times. A hook's last word counts."""
        # Zero is for none, and a mapping may end when 1970 begins.
        self._ends = [max(1.0, end.timestamp()) for end in ends]

    @property
    def is_told(self) -> bool:
        """Return whether this hook has said when access ends."""
        return self._ends is not None

    @property
    def overdue(self) -> bool:
        """Return whether access that is to end should have ended by now."""
        return 0.0 < self._memory.end <= times.now().timestamp()

    def at_end(self, end: datetime.datetime) -> None:
        """Wake the unit at ``end`` too. An action calls this."""
        self._memory.end = min(end.timestamp(), self._memory.end or end.timestamp())
        self._set(max(self._memory.end, times.now().timestamp() + _GO_ON_SECONDS))

    def again(self) -> None:
        """Wake the unit when access ends, or sooner if it is to look again or go on."""
        now, memory, is_over = times.now().timestamp(), self._memory, self.overdue
        earliest = now + _SPACING_SECONDS if is_over else now
        if self._ends is not None:
            coming = [end for end in self._ends if end > now]
            is_over = len(coming) < len(self._ends)
            memory.end = min(coming or self._ends, default=0.0)
        moments = [max(memory.end, earliest)] if memory.end > now else []
        if self.goes_on:
            moments.append(now + _GO_ON_SECONDS)
        is_waiting = self.polls or is_over
        memory.since = min(memory.since or now, now) if is_waiting else 0.0
        seconds = max(_POLL_SECONDS, (now - memory.since) / 4)
        if is_over:
            moments.append(now + min(seconds, _OVERDUE_SECONDS))
        elif is_waiting and now - memory.since < _PATIENCE:
            moments.append(now + seconds)
        self._set(min(moments, default=None))

    def _set(self, at: float | None) -> None:
        """Let Juju ring ``at`` that time, or never.

        If Juju cannot do that now, update-status looks again.
        """
        if at is None and not self._memory.rings:
            return
        utc = datetime.timezone.utc
        wanted = NEVER if at is None else datetime.datetime.fromtimestamp(at, utc)
        with contextlib.suppress(ops.ModelError, ops.hookcmds.Error):
            self._expire(wanted)
            self._memory.rings = wanted != NEVER

    def _expire(self, at: datetime.datetime) -> None:
        """Let the secret expire ``at`` that time, unless it expires earlier anyway.

        An earlier alarm stays as it is, because its hook sets the next one.
        """
        try:
            secret = ops.hookcmds.secret_info_get(label=_LABEL)
        except ops.hookcmds.Error as error:
            if "not found" not in error.stderr:
                raise
            if at != NEVER:
                self._unit.add_secret(_CONTENT, label=_LABEL, description=_DESCRIPTION, expire=at)
            return
        known, second = secret.expiry or NEVER, datetime.timedelta(seconds=1)
        comes = times.now() < known < NEVER
        if comes and self._rang:
            # Juju takes no notice of the time that it rang too early for.
            at = at + second if known == at else at
        elif known == at or (comes and at != NEVER and known <= at + second):
            return
        # `Secret.set_info` takes the content to Juju too, which makes a new revision of it.
        uri = f"secret:{secret.id.removeprefix('secret:')}"
        ops.hookcmds.secret_set(uri, expire=at, owner="unit")

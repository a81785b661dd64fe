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
from related import RelatedCharm
from text import fingerprint

# After how long the unit looks again at what others do, and after how long it goes on with work
# that it had no time left for.
_POLL_SECONDS, _GO_ON_SECONDS = 30.0, 1.0
# How long it looks again at what stays the same; after that, update-status is often enough. It
# waits a quarter as long again as it has waited, so that a model with a problem comes to rest.
_PATIENCE = 3600.0
# How often it looks at access that has not ended in time: until it has ended.
_OVERDUE_SECONDS = 120.0
# How soon the alarm rings for an end: who may write mappings could otherwise keep the machine busy
# with ends a second apart.
_SPACING_SECONDS = 20.0
_LABEL = "alarm"
_DESCRIPTION = "wakes the unit when it expires, and has nothing secret in it"
# Juju keeps no secret without a value.
_CONTENT = {"purpose": "to expire"}
# A secret's expiry can be changed, but not taken back.
NEVER = datetime.datetime(2100, 1, 1, tzinfo=datetime.timezone.utc)


class Wake:
    """When the unit wakes by itself: it remembers when access ends next, and how long it waits."""

    def __init__(self, charm: RelatedCharm):
        self._unit, self._memory = charm.unit, charm.memory
        self._rings = self._goes_on = self._looks = False
        self._expected: list[float] | None = None

    def note(self, event: ops.EventBase) -> None:
        """Note that ``event`` is the alarm, if it is."""
        if isinstance(event, ops.SecretExpiredEvent) and event.secret.label == _LABEL:
            # A killed hook may have lost that it is set.
            self._memory.rings = self._rings = True

    def expect(self, ends: Iterable[datetime.datetime]) -> None:
        """Expect the ``ends`` of access at these times. A hook's last word counts."""
        # Zero is for none, and a mapping may end when 1970 begins.
        self._expected = [max(1.0, end.timestamp()) for end in ends]

    def go_on(self) -> None:
        """Wake the unit at once: this hook had no time left for some work."""
        self._goes_on = True

    def look_again(self) -> None:
        """Look again soon: this hook could not see when access ends."""
        self._looks = True

    @property
    def is_told(self) -> bool:
        """Return whether this hook has said when access ends."""
        return self._expected is not None

    def at_end(self, end: datetime.datetime) -> None:
        """Wake the unit at ``end`` too. An action calls this."""
        if not 0.0 < self._memory.end <= end.timestamp():
            self._memory.end = end.timestamp()
        self._set(max(self._memory.end, times.now().timestamp() + _GO_ON_SECONDS))

    @property
    def overdue(self) -> bool:
        """Return whether access that is to end should have ended by now."""
        return 0.0 < self._memory.end <= times.now().timestamp()

    def again(self, line: str, *, polls: bool) -> None:
        """Wake the unit when access ends, or sooner to look again, if it ``polls``.

        A unit polls where others must act and no event of Juju announces it. ``line`` says what it
        waits for. As long as that stays the same, it looks less and less often.
        """
        now = times.now().timestamp()
        is_over = self._keep_expected(now)
        moments = [now + _GO_ON_SECONDS] if self._goes_on else []
        if self._memory.end > now:
            moments.append(self._memory.end)
        if polls or self._looks or is_over:
            seconds = self._backed_off(line, now)
            if is_over:
                seconds = min(seconds or _OVERDUE_SECONDS, _OVERDUE_SECONDS)
            moments += [now + seconds] if seconds else []
        else:
            self._memory.wait = ""
        self._set(min(moments, default=None))

    def _keep_expected(self, now: float) -> bool:
        """Remember when access ends next, if this hook knows; return whether any should have ended
        by now."""
        if self._expected is None:
            return self.overdue
        earliest = self._memory.end + _SPACING_SECONDS if self.overdue else 0.0
        over = min((end for end in self._expected if end <= now), default=0.0)
        coming = min((end for end in self._expected if end > now), default=0.0)
        self._memory.end = max(coming, earliest) if coming else over
        return bool(over)

    def _backed_off(self, line: str, now: float) -> float | None:
        """Return in how many seconds to look again at a wait that may have lasted long."""
        # The cause of a wait stands after its colon, and may differ from hook to hook.
        known = fingerprint(line.partition(": ")[0])
        if self._memory.wait != known or self._memory.since > now:
            self._memory.wait, self._memory.since = known, now
        waited = now - self._memory.since
        return max(_POLL_SECONDS, waited / 4) if waited < _PATIENCE else None

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
        secret = self._secret()
        if not secret:
            if at != NEVER:
                self._unit.add_secret(_CONTENT, label=_LABEL, description=_DESCRIPTION, expire=at)
            return
        known, second = secret.expiry or NEVER, datetime.timedelta(seconds=1)
        comes = times.now() < known < NEVER
        if comes and self._rings:
            # Juju takes no notice of the time that it rang too early for.
            at = at + second if known == at else at
        elif known == at or (comes and at != NEVER and known <= at + second):
            return
        # `Secret.set_info` takes the content to Juju too, which makes a new revision of it.
        uri = f"secret:{secret.id.removeprefix('secret:')}"
        ops.hookcmds.secret_set(uri, expire=at, owner="unit")

    def _secret(self) -> ops.hookcmds.SecretInfo | None:
        try:
            return ops.hookcmds.secret_info_get(label=_LABEL)
        except ops.hookcmds.Error as error:
            if "not found" in error.stderr:
                return None
            raise

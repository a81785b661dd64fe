# SPDX-License-Identifier: Apache-2.0

"""The unit's alarm clock: a hook at a time that no event of Juju announces.

Pods become ready, API servers return and control planes render their files without an event, so
the unit looks again after half a minute. Access ends at a time of its own. The next update-status
may be five minutes away, and an hour if the model is set so. A secret of the unit's own expires
sooner. Juju tells its owner in a hook, secret-expired, at the time that was set, and then every
five minutes until another time is set. It rings too early if another secret expires in the same
minute, and then only five minutes after the time that was set, unless another time is set.

The secret is never removed: Juju 4 goes on to announce the end of one that is gone.
"""

from __future__ import annotations

import contextlib
import datetime

import ops

import times
from text import fingerprint

# After how long the unit looks again at what others do, and after how long it goes on with work
# that it had no time left for.
SECONDS = 30.0
SOON_SECONDS = 1.0
# The least time between two alarms for access that ends: who may write mappings could otherwise
# keep the machine busy with ends a second apart.
SPACING_SECONDS = 20.0
# For how long it looks that often at what stays the same, how often it looks then, and for how
# long. After that, update-status is often enough.
PATIENCE = 600.0
SELDOM_SECONDS, LAST_PATIENCE = 120.0, 3600.0
_LABEL = "alarm"
_DESCRIPTION = "wakes the unit when it expires, and has nothing secret in it"
# Juju keeps no secret without a value.
_CONTENT = {"purpose": "to expire"}
# A secret's expiry can be changed, but not taken back.
NEVER = datetime.datetime(2100, 1, 1, tzinfo=datetime.timezone.utc)
_ONE_SECOND, _NOTHING = datetime.timedelta(seconds=1), datetime.timedelta()


class Alarm(ops.Object):
    """One alarm a unit: a secret that is made when it is needed first, and then kept.

    A hook without an alarm asks Juju nothing, because the unit remembers whether one is set.
    """

    _stored = ops.StoredState()

    def __init__(self, charm: ops.CharmBase):
        super().__init__(charm, _LABEL)
        self._stored.set_default(is_set=False, end=0.0, wait="", since=0.0)
        self._unit = charm.unit
        self._has_rung = self._rang_early = False
        self.framework.observe(charm.on.secret_expired, self._on_secret_expired)

    def expect(self, end: datetime.datetime | None) -> None:
        """Remember when access ends next, None for never. The unit looks again then."""
        seconds = end.timestamp() if end else 0.0
        if seconds != self._end:
            self._stored.end = seconds

    def ring_at(self, end: datetime.datetime) -> None:
        """Let the unit look again at ``end``, or earlier as planned. An action calls this."""
        if not 0.0 < self._end <= end.timestamp():
            self._stored.end = end.timestamp()
        self._ring([max(self._end, times.now().timestamp() + SOON_SECONDS)])

    @property
    def overdue(self) -> bool:
        """Return whether the access that `expect` was told of has ended by now."""
        return 0.0 < self._end <= times.now().timestamp()

    def set(self, seconds: float | None, wait: str = "") -> None:
        """Let Juju run a hook when access ends, or in ``seconds`` if that is sooner.

        ``wait`` says what the unit waits for. As long as that stays the same, the unit looks less
        and less often. An earlier alarm stays as it is, because its hook sets the next one.
        """
        now = times.now().timestamp()
        if self.overdue:
            # Access goes on: this is looked at until it has ended.
            seconds = self._paced(SECONDS, "overdue", now) or SELDOM_SECONDS
        else:
            seconds = self._paced(seconds, wait, now)
        moments = [] if seconds is None else [now + seconds]
        if self._end > now:
            paced = self._has_rung and not self._rang_early
            moments.append(max(self._end, now + SPACING_SECONDS) if paced else self._end)
        self._ring(moments)

    def _paced(self, seconds: float | None, wait: str, now: float) -> float | None:
        """Return in how many seconds to look again at a wait that may have lasted long."""
        if seconds != SECONDS:
            if self._stored.wait:
                self._stored.wait = ""
            return seconds
        # The cause of a wait stands after its colon, and may differ from hook to hook.
        if self._stored.wait != (known := fingerprint(wait.partition(": ")[0])):
            self._stored.wait, self._stored.since = known, now
        since = self._stored.since
        waited = now - since if isinstance(since, float) else 0.0
        if waited < PATIENCE:
            return SECONDS
        return SELDOM_SECONDS if waited < LAST_PATIENCE else None

    def _ring(self, moments: list[float]) -> None:
        """Set the alarm to the earliest of ``moments``; stop it without any.

        If Juju cannot do that now, update-status looks again.
        """
        if not moments and not self._stored.is_set:
            return
        at = NEVER
        if moments:
            at = datetime.datetime.fromtimestamp(min(moments), datetime.timezone.utc)
        with contextlib.suppress(ops.ModelError, ops.hookcmds.Error):
            self._expire(at)
            if self._stored.is_set != bool(moments):
                self._stored.is_set = bool(moments)

    def _expire(self, at: datetime.datetime) -> None:
        """Let the secret expire ``at`` that time, unless it expires earlier anyway."""
        secret = self._secret()
        if not secret:
            if at != NEVER:
                self._unit.add_secret(_CONTENT, label=_LABEL, description=_DESCRIPTION, expire=at)
            return
        known = secret.expiry
        if self._rang_early:
            # Juju has rung for the known time, and does not do so again.
            at += _ONE_SECOND if known == at else _NOTHING
        elif known == at or (at != NEVER and known and times.now() < known <= at + _ONE_SECOND):
            return
        # `Secret.set_info` takes the content to Juju too, which makes a new revision of it.
        ops.hookcmds.secret_set(_uri(secret), expire=at, owner="unit")

    def _secret(self) -> ops.hookcmds.SecretInfo | None:
        try:
            return ops.hookcmds.secret_info_get(label=_LABEL)
        except ops.hookcmds.Error as error:
            if "not found" in error.stderr:
                return None
            raise

    def _on_secret_expired(self, event: ops.SecretExpiredEvent) -> None:
        if event.secret.label != _LABEL:
            return
        # A killed hook may have lost this, but not the secret.
        self._stored.is_set = self._has_rung = True
        with contextlib.suppress(ops.ModelError, ops.hookcmds.Error):
            secret = self._secret()
            now = times.now()
            self._rang_early = bool(secret and secret.expiry and now < secret.expiry < NEVER)
            if secret and event.revision < secret.revision:
                # An earlier version of the charm made more of them, and each rings.
                event.remove_revision()

    @property
    def _end(self) -> float:
        """Return when access ends next, in seconds since the epoch; 0 if none does."""
        end = self._stored.end
        return end if isinstance(end, float) else 0.0


def _uri(secret: ops.hookcmds.SecretInfo) -> str:
    return f"secret:{secret.id.removeprefix('secret:')}"

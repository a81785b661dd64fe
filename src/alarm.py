# Copyright 2026 Canonical Ltd.
# See LICENSE file for licensing details.

"""The unit's alarm clock: a hook at a time that no event of Juju announces.

Pods become ready, API servers return and control planes render their files without an event, so
the unit looks again after half a minute. Access ends at a time of its own. The next update-status
may be five minutes away, and an hour if the model is set so. A secret of the unit's own expires
sooner. Juju tells its owner in a hook, secret-expired, and again every five minutes until the
secret is gone. That hook comes at the time that was set, or up to a minute earlier if Juju looks
at another secret of the unit then.
"""

from __future__ import annotations

import contextlib
import datetime
import time

import ops

# After how long the unit looks again at what others do, and after how long it goes on with work
# that it had no time left for.
SECONDS = 30.0
SOON_SECONDS = 1.0
_LABEL = "alarm"
# Juju keeps no secret without a value.
_CONTENT = {"purpose": "to expire"}


class Alarm(ops.Object):
    """At most one alarm a unit.

    The unit keeps the time beside the secret, so that a hook without an alarm asks Juju nothing.
    """

    _stored = ops.StoredState()

    def __init__(self, charm: ops.CharmBase):
        super().__init__(charm, _LABEL)
        self._stored.set_default(due=0.0, end=0.0)
        self._unit = charm.unit
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
        self.set(None)

    @property
    def overdue(self) -> bool:
        """Return whether the access that `expect` was told of has ended by now."""
        return 0.0 < self._end <= time.time()

    def set(self, seconds: float | None) -> None:
        """Let Juju run a hook when access ends, or in ``seconds`` if that is sooner.

        An earlier alarm stays as it is, because its hook sets the next one. Without any time, the
        alarm goes.
        """
        now = time.time()
        if seconds is None and self.overdue:
            seconds = SECONDS
        times = [] if seconds is None else [now + seconds]
        if self._end > now:
            times.append(self._end)
        if times:
            self._ring_by(min(times), now)
        else:
            self._stop()

    def _ring_by(self, at: float, now: float) -> None:
        """Set the alarm. If Juju cannot keep a secret now, update-status looks again."""
        if now < self._due <= at:
            return
        expire = datetime.datetime.fromtimestamp(at, datetime.timezone.utc)
        with contextlib.suppress(ops.ModelError):
            if secret := self._secret():
                secret.set_info(expire=expire)
            else:
                self._unit.add_secret(_CONTENT, label=_LABEL, expire=expire)
            self._stored.due = at

    def _stop(self) -> None:
        if not self._due:
            return
        with contextlib.suppress(ops.ModelError):
            if secret := self._secret():
                secret.remove_all_revisions()
            self._stored.due = 0.0

    @property
    def _due(self) -> float:
        """Return when the alarm rings or has rung, in seconds since the epoch; 0 without one."""
        due = self._stored.due
        return due if isinstance(due, float) else 0.0

    @property
    def _end(self) -> float:
        """Return when access ends next, in seconds since the epoch; 0 if none does."""
        end = self._stored.end
        return end if isinstance(end, float) else 0.0

    def _secret(self) -> ops.Secret | None:
        try:
            return self.model.get_secret(label=_LABEL)
        except ops.SecretNotFoundError:
            return None

    def _on_secret_expired(self, event: ops.SecretExpiredEvent) -> None:
        # A killed hook may have lost the time but not the secret.
        if event.secret.label == _LABEL:
            self._stored.due = time.time()

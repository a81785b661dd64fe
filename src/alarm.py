"""The unit's alarm clock: a hook soon after this one, for what no event of Juju announces.

Pods become ready, API servers return and control planes render their files without an event.
The next update-status may be an hour away. A secret of the unit's own expires sooner, and Juju
tells its owner in a hook, secret-expired, and again every five minutes until the secret is gone.
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

    Its time is kept beside the secret, so that a hook without an alarm asks Juju nothing.
    """

    _stored = ops.StoredState()

    def __init__(self, charm: ops.CharmBase):
        super().__init__(charm, _LABEL)
        self._stored.set_default(due=0.0)
        self._unit = charm.unit
        self.framework.observe(charm.on.secret_expired, self._on_secret_expired)

    def set(self, seconds: float) -> None:
        """Let Juju run a hook in ``seconds``, unless one is due before.

        Where Juju keeps no secrets now, the next look is update-status.
        """
        now = time.time()
        due = now + seconds
        if now < self._due <= due:
            return
        expire = datetime.datetime.fromtimestamp(due, datetime.timezone.utc)
        with contextlib.suppress(ops.ModelError):
            if secret := self._secret():
                secret.set_info(expire=expire)
            else:
                self._unit.add_secret(_CONTENT, label=_LABEL, expire=expire)
            self._stored.due = due

    def stop(self) -> None:
        """Let Juju run no more hooks for an alarm."""
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

    def _secret(self) -> ops.Secret | None:
        try:
            return self.model.get_secret(label=_LABEL)
        except ops.SecretNotFoundError:
            return None

    def _on_secret_expired(self, event: ops.SecretExpiredEvent) -> None:
        # A killed hook may have lost the time but not the secret.
        if event.secret.label == _LABEL:
            self._stored.due = time.time()

# SPDX-License-Identifier: Apache-2.0

"""When this unit last looked at what is not worth a look in each hook, and what it counted."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import cast

import ops

import times


class Looks(ops.Object):
    """Keeps the last look beside the unit. A new leader looks at once."""

    _stored = ops.StoredState()

    def __init__(self, charm: ops.CharmBase):
        super().__init__(charm, "looks")
        self._stored.set_default(looked="", tried="", unused=0, unused_administrators=0)

    def is_due(self, every: timedelta) -> bool:
        """Return whether the unit last tried to look longer ago than ``every``, or in the future.

        That is the last try, whatever came of it: a failing API is not asked in each hook.
        """
        at = _past(str(self._stored.tried))
        return at is None or times.now() - at >= every

    @property
    def last(self) -> datetime | None:
        """Return until when all that there was to see is recorded; None if that is unknown."""
        return _past(str(self._stored.looked))

    def note_try(self) -> None:
        """Keep that the unit tries to look now."""
        self._stored.tried = _kept(times.now())

    def note(self, at: datetime) -> None:
        """Keep that all that there was to see until ``at`` is recorded."""
        self._stored.looked = _kept(at)

    @property
    def unused(self) -> tuple[int, int]:
        """Return how many mappings were unused, and how many administrators' of these."""
        return cast("int", self._stored.unused), cast("int", self._stored.unused_administrators)

    def count(self, unused: int, administrators: int) -> None:
        """Keep how many mappings are unused, and how many administrators' of these."""
        self._stored.unused, self._stored.unused_administrators = unused, administrators


def _kept(at: datetime) -> str:
    # Rounded up, it would be in the future for a hook that follows within the same second.
    return times.shown(at.replace(microsecond=0))


def _past(text: str) -> datetime | None:
    """Return the time that ``text`` names, unless it names none, or one in the future."""
    try:
        at = times.parse(text)
    except ValueError:
        return None
    return at if at <= times.now() else None

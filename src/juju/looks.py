# Copyright 2026 Canonical Ltd.
# See LICENSE file for licensing details.

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
        self._stored.set_default(looked="", unused=0, unused_administrators=0)

    def is_due(self, every: timedelta) -> bool:
        """Return whether the last look is longer ago than ``every``, or in the future."""
        try:
            ago = times.now() - times.parse(str(self._stored.looked))
        except ValueError:
            return True
        return not timedelta() <= ago < every

    def note(self, at: datetime) -> None:
        """Keep that the unit looked at the time ``at``."""
        self._stored.looked = times.shown(at)

    @property
    def unused(self) -> tuple[int, int]:
        """Return how many mappings were unused, and how many administrators' of these."""
        return cast("int", self._stored.unused), cast("int", self._stored.unused_administrators)

    def count(self, unused: int, administrators: int) -> None:
        """Keep how many mappings are unused, and how many administrators' of these."""
        self._stored.unused, self._stored.unused_administrators = unused, administrators

# SPDX-License-Identifier: Apache-2.0

"""What this unit remembers between its hooks, where neither Juju nor the cluster does."""

from __future__ import annotations

import logging
from collections.abc import Mapping, MutableMapping
from datetime import datetime, timedelta, timezone
from typing import Any, cast

import ops

import times
from text import fingerprint

logger = logging.getLogger(__name__)


class Memory(ops.Object):
    """Remembers what was logged once, and when the pods' logs were last read; the Service's
    address, and which addresses other units' control planes ask."""

    _stored = ops.StoredState()

    def __init__(self, charm: ops.CharmBase):
        super().__init__(charm, "memory")
        self._stored.set_default(
            logged="", address="", asked={}, principals="", was_set=False, tried=None, looked=None
        )

    def log_once(self, text: str) -> None:
        """Log ``text`` as warnings, a line each, unless it is what was logged last."""
        if (new := fingerprint(text)) == self._stored.logged:
            return
        for line in text.splitlines():
            logger.warning(line)
        self._stored.logged = new

    @property
    def address(self) -> str:
        """Return the Service's address, as the unit knew it last."""
        return cast("str", self._stored.address)

    @address.setter
    def address(self, value: str) -> None:
        if value != self._stored.address:
            self._stored.address = value

    @property
    def principals(self) -> frozenset[str]:
        """Return the control-plane units that Juju has listed last."""
        return frozenset(str(self._stored.principals).split())

    @principals.setter
    def principals(self, value: frozenset[str]) -> None:
        if value != self.principals:
            self._stored.principals = " ".join(sorted(value))

    @property
    def was_set(self) -> bool:
        """Return whether the control plane has ever asked the Service by its option."""
        return bool(self._stored.was_set)

    @was_set.setter
    def was_set(self, value: bool) -> None:
        if value != self._stored.was_set:
            self._stored.was_set = value

    @property
    def asked(self) -> Mapping[str, str]:
        """Return which address the control plane of each other unit asks, by the unit's name."""
        return {str(unit): str(text) for unit, text in self._known_asked.items()}

    def note_asked(self, unit: str, text: str) -> None:
        """Remember which address the control plane of another ``unit`` asks; forget the unit if
        ``text`` is empty."""
        if text:
            self._known_asked[unit] = text
        else:
            self._known_asked.pop(unit, None)

    @property
    def _known_asked(self) -> MutableMapping[Any, Any]:
        return cast("ops.StoredDict", self._stored.asked)

    def is_due(self, every: timedelta) -> bool:
        """Return whether the unit last tried to read the logs longer ago than ``every``.

        Whether that worked does not matter: each hook would ask a failing API again.
        """
        tried = _past(self._stored.tried)
        return tried is None or times.now() - tried >= every

    def note_try(self) -> None:
        """Remember that the unit tries to read the logs now."""
        self._stored.tried = times.now().timestamp()

    @property
    def last(self) -> datetime | None:
        """Return until when all logins are recorded; None if that is unknown, or in the future."""
        return _past(self._stored.looked)

    def note(self, at: datetime) -> None:
        """Remember that all logins until ``at`` are recorded."""
        self._stored.looked = at.timestamp()


def _past(stored: object) -> datetime | None:
    """Return the time that is ``stored``, unless none is, or one in the future."""
    at = datetime.fromtimestamp(stored, timezone.utc) if isinstance(stored, float) else None
    return at if at and at <= times.now() else None

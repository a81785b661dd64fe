# SPDX-License-Identifier: Apache-2.0

"""What the unit logs once, and not again in every hook."""

from __future__ import annotations

import logging

import ops

from text import fingerprint

logger = logging.getLogger(__name__)


class Journal(ops.Object):
    """Keeps a hash of what it logged last beside the unit."""

    _stored = ops.StoredState()

    def __init__(self, charm: ops.CharmBase):
        super().__init__(charm, "journal")
        self._stored.set_default(logged="")

    def log(self, text: str) -> None:
        """Log ``text`` as warnings, a line each, unless it is what was logged last."""
        new = fingerprint(text)
        if new == self._stored.logged:
            return
        for line in text.splitlines():
            logger.warning(line)
        self._stored.logged = new

# SPDX-License-Identifier: Apache-2.0

"""Why a pair is refused: the errors of `verdict.check`."""

from __future__ import annotations

import datetime


class Refused(ValueError):
    """The API server would refuse the pair; the text says why."""


class Stale(Refused):
    """The certificate is good, but for other names."""


class NotYetValid(Refused):
    """The certificate or its authority is good from ``starts`` on, by this machine's clock."""

    def __init__(self, whose: str, starts: datetime.datetime) -> None:
        super().__init__(f"{whose}is not valid before {starts:%Y-%m-%d %H:%M} UTC")
        self.starts = starts

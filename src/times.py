# SPDX-License-Identifier: Apache-2.0

"""Times and durations: what they are now, read from texts, and shown.

A time is written as RFC 3339 has it, such as ``2026-12-31T18:00:00+01:00``. All but `now` is pure.
"""

from __future__ import annotations

import re
import time
from datetime import datetime, timedelta, timezone
from typing import Annotated

LONGEST = timedelta(days=366)
_EXAMPLE = "2026-12-31T18:00:00Z"
# Other programs write the year 1 for "no time", and 9999 for "never".
_FIRST_YEAR, _LAST_YEAR = 1970, 9998
_DURATION = re.compile(
    r"((?P<days>\d{1,5})d)?((?P<hours>\d{1,5})h)?((?P<minutes>\d{1,7})m)?((?P<seconds>\d{1,9})s)?",
    re.ASCII,
)


def now() -> datetime:
    """Return the present moment, in UTC."""
    return datetime.fromtimestamp(time.time(), timezone.utc)


def parse(text: str) -> datetime:
    """Return the time that ``text`` names, in UTC. Raise ValueError if ``text`` is not a time with
    an offset."""
    import msgspec

    try:
        moment = msgspec.convert(text, Annotated[datetime, msgspec.Meta(tz=True)])
        moment = moment.astimezone(timezone.utc)
        if moment.year >= _FIRST_YEAR and _whole(moment).year <= _LAST_YEAR:
            return moment
    except (msgspec.ValidationError, OverflowError):
        pass
    shown = text if len(text) <= 40 else text[:37] + "..."
    raise ValueError(f"{shown!r} is not a time such as {_EXAMPLE}")


def duration(text: str) -> timedelta:
    """Return the duration that ``text`` names, such as ``30m``, ``2h``, ``1d`` or ``1h30m``.

    Raises:
        ValueError: ``text`` is not a duration, or is zero or longer than `LONGEST`.
    """
    match = _DURATION.fullmatch(text)
    if not text or not match:
        raise ValueError(f"{text[:40]!r} is not a duration such as 30m, 2h, 1d or 1h30m")
    found = timedelta(**{unit: int(number or 0) for unit, number in match.groupdict().items()})
    if not timedelta() < found <= LONGEST:
        raise ValueError(f"{text[:40]!r} is out of range, give 1s to {LONGEST.days}d")
    return found


def shown(moment: datetime) -> str:
    """Return ``moment`` as an annotation has it: in UTC, rounded up to a whole second."""
    return _whole(moment.astimezone(timezone.utc)).strftime("%Y-%m-%dT%H:%M:%SZ")


def _whole(moment: datetime) -> datetime:
    """Return ``moment``, rounded up to a whole second."""
    if not moment.microsecond:
        return moment
    return moment.replace(microsecond=0) + timedelta(seconds=1)

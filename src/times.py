# SPDX-License-Identifier: Apache-2.0

"""Times and durations: what they are now, read from texts, and shown.

A time is written as RFC 3339 has it, such as ``2026-12-31T18:00:00+01:00``. All but `now` is pure.
"""

from __future__ import annotations

import re
import time
from datetime import datetime, timedelta, timezone

LONGEST = timedelta(days=366)
_EXAMPLE = "2026-12-31T18:00:00Z"
_TIME = re.compile(
    r"(?P<year>\d{4})-(?P<month>\d\d)-(?P<day>\d\d)T"
    r"(?P<hour>\d\d):(?P<minute>\d\d):(?P<second>\d\d)(\.(?P<fraction>\d+))?"
    r"(Z|(?P<sign>[+-])(?P<hours>[01]\d|2[0-3]):(?P<minutes>[0-5]\d))",
    re.ASCII | re.IGNORECASE,
)
# Other programs write the year 1 for "no time", and 9999 for "never".
_FIRST_YEAR, _LAST_YEAR = 1970, 9998
_PARTS = ("year", "month", "day", "hour", "minute", "second")
_DURATION = re.compile(
    r"((?P<days>\d{1,5})d)?((?P<hours>\d{1,5})h)?((?P<minutes>\d{1,7})m)?((?P<seconds>\d{1,9})s)?",
    re.ASCII,
)


def now() -> datetime:
    """Return the present moment, in UTC."""
    return datetime.fromtimestamp(time.time(), timezone.utc)


def parse(text: str) -> datetime:
    """Return the time that ``text`` names, in UTC.

    RFC 3339 also allows a small ``t`` and ``z``, and a second 60 for a leap second. Only the last
    minute of a day in UTC has one. It counts as the start of the next minute.

    Raises:
        ValueError: ``text`` is not a time with an offset.
    """
    match = _TIME.fullmatch(text)
    if not match:
        raise ValueError(_not_a_time(text))
    *parts, second = (int(match[name]) for name in _PARTS)
    micros = int((match["fraction"] or "")[:6].ljust(6, "0"))
    try:
        minute = datetime(*parts, tzinfo=timezone.utc) - _offset(match)
        leaps = second == 60 and (minute.hour, minute.minute) == (23, 59)
        if (second < 60 or leaps) and _FIRST_YEAR <= minute.year <= _LAST_YEAR:
            return minute + timedelta(seconds=second, microseconds=0 if second == 60 else micros)
    except (ValueError, OverflowError):
        pass
    raise ValueError(_not_a_time(text))


def _offset(match: re.Match[str]) -> timedelta:
    offset = timedelta(hours=int(match["hours"] or 0), minutes=int(match["minutes"] or 0))
    return -offset if match["sign"] == "-" else offset


def _not_a_time(text: str) -> str:
    shown = text if len(text) <= 40 else text[:37] + "..."
    return f"{shown!r} is not a time such as {_EXAMPLE}"


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
    moment = moment.astimezone(timezone.utc)
    if moment.microsecond:
        moment = moment.replace(microsecond=0) + timedelta(seconds=1)
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")

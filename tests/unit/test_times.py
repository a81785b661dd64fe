"""Times and durations: what is one, and how it is shown."""

from __future__ import annotations

import contextlib
from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

import times

UTC = timezone.utc
NOON = datetime(2026, 11, 26, 12, tzinfo=UTC)
TIME = r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:?\d\d)"
NO_TIMES = [
    *("tomorrow", "2026-11-26", "2026-11-26T12:00:00", "2026-02-29T00:00:00Z", "1795694400"),
    *("0001-01-01T00:00:00+01:00", "9999-12-31T23:59:59-01:00", "1969-12-31T23:59:59Z"),
    # Other programs' words for "never" and "no time".
    *("9999-12-31T23:59:59.9999999Z", "0001-01-01T00:00:00Z", "2026-11-26T12:00:00Z\n"),
    # What would be shown as a year that is none.
    *("9998-12-31T23:59:59.5Z", "1969-12-31T23:59:59.5Z"),
]


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-11-26T12:00:00Z", NOON),
        ("2026-11-26T13:30:00+01:30", NOON),
        ("2026-11-26T12:00:00.5Z", NOON + timedelta(milliseconds=500)),
        ("1970-01-01T00:00:00Z", datetime(1970, 1, 1, tzinfo=UTC)),
        ("9998-12-31T23:59:59Z", datetime(9998, 12, 31, 23, 59, 59, tzinfo=UTC)),
    ],
)
def test_given_a_time_of_rfc_3339_when_read_then_it_is_that_moment(text: str, moment: datetime):
    assert times.parse(text) == moment


@given(st.text() | st.from_regex(TIME, fullmatch=True))
def test_given_any_text_when_read_then_it_is_a_time_in_utc_or_refused(text: str):
    with contextlib.suppress(ValueError):
        assert times.parse(text).tzinfo is UTC


@pytest.mark.parametrize(
    ("text", "shown"), [("x" * 40, f"'{'x' * 40}'"), ("x" * 41, f"'{'x' * 37}...'")]
)
def test_given_a_long_text_that_is_not_a_time_then_its_beginning_is_named(text: str, shown: str):
    with pytest.raises(ValueError, match="is not a time") as raised:
        times.parse(text)
    assert str(raised.value).startswith(f"{shown} is not a time")


@pytest.mark.parametrize("text", NO_TIMES)
def test_given_what_is_not_a_time_when_read_then_it_is_refused(text: str):
    with pytest.raises(ValueError, match="is not a time such as 2026-12-31T18:00:00Z"):
        times.parse(text)


@given(st.integers(-(10**15), 10**15))
def test_given_a_moment_when_shown_then_it_is_read_as_that_moment_or_the_next_second(
    microseconds: int,
):
    moment = NOON + timedelta(microseconds=microseconds)

    assert timedelta() <= times.parse(times.shown(moment)) - moment < timedelta(seconds=1)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("1s", 1), ("90m", 5400), ("1m30s", 90), ("1d1h1m", 90060), ("366d", 366 * 86400)],
)
def test_given_a_duration_when_read_then_it_is_that_long(text: str, seconds: int):
    assert times.duration(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize(
    "text",
    ["2", "h", "2H", "2 h", "30m1h", "1h1h", "-1h", "+1h", "1.5h", "2w", "1y", "２h", "1h\n"],
)
def test_given_what_is_not_a_duration_when_read_then_it_is_refused(text: str):
    with pytest.raises(ValueError, match="is not a duration such as 30m, 2h, 1d or 1h30m"):
        times.duration(text)


@pytest.mark.parametrize("text", ["0s", "0h0m", "367d", "366d1s", "99999d99999h"])
def test_given_a_duration_out_of_range_when_read_then_the_range_is_named(text: str):
    with pytest.raises(ValueError, match="is out of range, give 1s to 366d"):
        times.duration(text)

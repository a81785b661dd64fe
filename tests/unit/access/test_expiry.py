"""Access that ends: what is a time, and what is over when."""

from __future__ import annotations

import dataclasses
from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

import times
from access import expiry
from access.declaration.declared import Declared
from access.expiry import Ended
from access.mapping import IdentityMapping

UTC = timezone.utc
NOON = datetime(2026, 11, 26, 12, tzinfo=UTC)
TIME = r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:?\d\d)"


def mapping(name: str, expires: str) -> IdentityMapping:
    return IdentityMapping(name, "arn", "alice", "", expires=expires)


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
    assert expiry.mismatch(text) is None


@pytest.mark.parametrize(
    "text",
    [
        "tomorrow",
        "2026-11-26",
        "2026-11-26T12:00:00",
        "2026-02-29T00:00:00Z",
        "0001-01-01T00:00:00+01:00",
        "9999-12-31T23:59:59-01:00",
        # Other programs' words for "never" and "no time".
        "9999-12-31T23:59:59.9999999Z",
        "0001-01-01T00:00:00Z",
        "1969-12-31T23:59:59Z",
        "2026-11-26T12:00:00Z\n",
        "1795694400",
    ],
)
def test_given_what_is_not_a_time_when_read_then_it_is_a_problem_and_ends_no_access(text: str):
    with pytest.raises(ValueError, match="is not a time such as 2026-12-31T18:00:00Z") as raised:
        times.parse(text)
    assert expiry.mismatch(text) == f"annotation aws-iam/expires: {raised.value}"
    assert expiry.end(mapping("a", text), Declared()) is None


@given(st.text() | st.from_regex(TIME, fullmatch=True))
def test_given_any_text_when_read_then_it_is_a_time_in_utc_or_a_problem(text: str):
    moment = expiry.end(mapping("a", text), Declared())

    assert (moment is None) == bool(expiry.mismatch(text) or not text)
    assert moment is None or moment.tzinfo is UTC


def test_given_mappings_when_asked_then_those_have_ended_whose_time_has_come():
    over, later = mapping("a", "2026-11-26T12:00:00Z"), mapping("b", "2026-11-26T12:00:00.1Z")

    assert expiry.ended([over, later, mapping("c", "")], Declared(), NOON) == {"a": NOON}


def ended(n: int, at: datetime) -> Ended:
    return Ended(f"m{n}", "arn", times.shown(at), times.shown(at))


def test_given_ended_access_when_a_day_has_passed_then_it_is_forgotten():
    yesterday, today = ended(1, NOON - timedelta(days=1)), ended(2, NOON - timedelta(hours=23))

    assert expiry.remembered([yesterday, today], NOON) == (today,)


def test_given_more_ended_access_than_a_databag_should_hold_when_kept_then_the_last_is():
    many = [ended(n, NOON) for n in range(150)]

    assert expiry.remembered(many, NOON) == tuple(many[50:])


def test_given_many_that_a_person_made_when_they_end_then_what_the_charm_made_is_remembered():
    grant = dataclasses.replace(ended(0, NOON - timedelta(hours=1)), source="grant")
    many = [ended(n, NOON) for n in range(1, 106)]

    assert expiry.remembered([grant, *many], NOON) == (grant, *many[-99:])


@given(st.lists(st.builds(Ended, *[st.text(st.characters(codec="utf-8"))] * 5)))
def test_given_ended_access_when_dumped_and_loaded_then_it_is_the_same(rows: list[Ended]):
    assert expiry.load(expiry.dump(rows)) == tuple(rows)


def test_given_ended_access_when_dumped_then_the_databag_holds_no_spaces_and_nothing_for_none():
    dumped = expiry.dump([Ended("a", "b", "c", "d", "e")] * 2)
    assert dumped == '[["a","b","c","d","e"],["a","b","c","d","e"]]'
    assert expiry.dump([]) == ""


@pytest.mark.parametrize("text", ["", "{", "5", "[[]]", "[" * 100_000])
def test_given_a_databag_that_holds_anything_else_when_loaded_then_nothing_is_remembered(
    text: str,
):
    assert expiry.load(text) == ()

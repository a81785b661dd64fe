"""Access that ends: what is a time, and what is over when."""

from __future__ import annotations

import dataclasses
from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.fakes.declaring import ACCOUNT, DEV, NAME, name_of

import times
from access import expiry
from access.declaration import declared
from access.declaration.declared import Declared
from access.expiry import Ended
from access.mapping import IdentityMapping

UTC = timezone.utc
NOON = datetime(2026, 11, 26, 12, tzinfo=UTC)
TIME = r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:?\d\d)"


def mapping(expires: str, name: str = NAME, arn: str = DEV) -> IdentityMapping:
    return IdentityMapping(name, arn, "alice", "", expires=expires)


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


NO_TIMES = [
    *("tomorrow", "2026-11-26", "2026-11-26T12:00:00", "2026-02-29T00:00:00Z", "1795694400"),
    *("0001-01-01T00:00:00+01:00", "9999-12-31T23:59:59-01:00", "1969-12-31T23:59:59Z"),
    # Other programs' words for "never" and "no time".
    *("9999-12-31T23:59:59.9999999Z", "0001-01-01T00:00:00Z", "2026-11-26T12:00:00Z\n"),
]


@pytest.mark.parametrize("text", NO_TIMES)
def test_given_what_is_not_a_time_when_read_then_it_is_a_problem_and_ends_no_access(text: str):
    with pytest.raises(ValueError, match="is not a time such as 2026-12-31T18:00:00Z") as raised:
        times.parse(text)
    assert expiry.mismatch(text) == f"annotation aws-iam/expires: {raised.value}"
    assert expiry.end(mapping(text), Declared()) is None


@given(st.text() | st.from_regex(TIME, fullmatch=True))
def test_given_any_text_when_read_then_it_is_a_time_in_utc_or_a_problem(text: str):
    moment = expiry.end(mapping(text), Declared())

    assert (moment is None) == bool(expiry.mismatch(text) or not text)
    assert moment is None or moment.tzinfo is UTC


LATER, SOONER = "2026-11-26T12:00:00.1Z", "2026-11-26T12:00:00Z"
DECLARES = declared.parse(f"[{{arn: '{DEV}', expires: '{SOONER}'}}]", NOON)
LASTING = declared.parse(f"[{{arn: '{DEV}'}}]", NOON)
FAULTY = declared.parse(f"[{{arn: '{DEV}'}}, {{arn: x}}]", NOON)
OF_SET = f"{ACCOUNT}:role/AWSReservedSSO_DevOps_0123456789abcdef"
SET = declared.parse(f"[{{permission-set: DevOps@111122223333, expires: '{SOONER}'}}]", NOON)


@pytest.mark.parametrize(
    ("found", "option", "over"),
    [
        (mapping(SOONER), Declared(), True),
        (mapping(LATER), Declared(), False),
        (mapping(""), Declared(), False),
        (mapping(LATER), DECLARES, True),
        (mapping(SOONER), LASTING, False),
        (mapping(SOONER), FAULTY, True),
        (mapping(SOONER, "theirs"), LASTING, True),
        (mapping("", "theirs"), DECLARES, False),
        (mapping(SOONER, arn="no ARN"), LASTING, True),
        (mapping("", name_of(OF_SET), OF_SET), SET, True),
    ],
)
def test_given_a_mapping_then_a_good_options_entry_says_its_end_and_else_its_annotation(
    found: IdentityMapping, option: Declared, over: bool
):
    assert expiry.ended([found], option, NOON) == ({found.name: NOON} if over else {})


def ended(n: int, at: datetime) -> Ended:
    return Ended(f"m{n}", "arn", times.shown(at), times.shown(at))


GRANT = dataclasses.replace(ended(0, NOON - timedelta(hours=23)), source="grant")
MANY = tuple(ended(n, NOON) for n in range(1, 151))


@pytest.mark.parametrize(
    ("some", "kept"),
    [
        ((ended(1, NOON - timedelta(days=1)), GRANT), (GRANT,)),
        (MANY, MANY[-100:]),
        ((GRANT, *MANY), (GRANT, *MANY[-99:])),
    ],
    ids=["of the last day", "the newest hundred", "the charm's own first"],
)
def test_given_ended_access_then_the_charm_remembers_what_a_databag_should_hold(
    some: tuple[Ended, ...], kept: tuple[Ended, ...]
):
    assert expiry.remembered(some, NOON) == kept


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

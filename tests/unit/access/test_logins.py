"""Who was let in, by the authenticator's log, and the record of each principal's last day."""

from __future__ import annotations

import datetime
import json
from datetime import date

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from tests.fakes.login_lines import BEGIN, END, KEY, ROLE, line, login

from access import logins
from access.logins import MOST, Login, Record
from access.mapping import IdentityMapping

TODAY = END.date()
NOON = datetime.datetime(2026, 11, 20, 12, tzinfo=datetime.timezone.utc)


def parse(*lines: str) -> list[Login]:
    return logins.parse(lines, BEGIN, END)


def mapping(arn: str = ROLE, created: str = "2026-01-01T00:00:00Z") -> IdentityMapping:
    return IdentityMapping("dev", arn, "dev", arn.lower(), created=created)


def test_given_logins_of_a_session_then_they_are_one_with_its_person_key_and_newest_time() -> None:
    found = parse(*login(1), *login(7), *login(3))

    assert found == [Login(BEGIN.replace(minute=7), 3, ROLE, "dev", KEY, "alice@example.com")]


def test_given_a_decision_without_an_arn_then_nobody_else_was_let_in() -> None:
    assert parse(line("access granted", "dev"), *login()) == parse(*login())


def test_given_a_login_when_recorded_then_its_mapping_has_the_day_in_any_spelling() -> None:
    record = logins.updated(Record(TODAY), parse(*login()))

    assert record.last(mapping()) == TODAY
    assert record.last(mapping("arn:aws:iam::111122223333:role/DEV")) == TODAY
    assert record.last(mapping(f"{ROLE}s")) is None


def test_given_a_record_when_an_older_login_is_found_then_the_newer_day_stays() -> None:
    newer = logins.updated(Record(TODAY), parse(*login()))
    older = Login(BEGIN - datetime.timedelta(days=2), 1, ROLE, "dev", "", "")

    assert logins.updated(newer, [older]) == newer


def test_given_more_principals_than_it_holds_then_those_that_were_here_last_stay() -> None:
    old = {f"ff{number:014x}": date(2026, 1, 1) for number in range(MOST)}

    record = logins.updated(Record(TODAY, days=old), parse(*login()))

    assert record.last(mapping()) == TODAY
    # Of those that were here on one day, the same ones go on every unit.
    assert old.keys() - record.days.keys() == {f"ff{0:014x}"}


DIGESTS = st.text("0123456789abcdef", min_size=16, max_size=16)
PODS = st.frozensets(st.sampled_from(["a", "b-0"]))
DAYS = st.dates(date(2020, 1, 1), TODAY)
TIMES = DAYS.map(lambda day: NOON.replace(year=day.year, month=day.month, day=day.day))


@example(Record(TODAY, END, frozenset({TODAY}), frozenset("a"), {"0" * 16: TODAY}))
@given(st.builds(Record, DAYS, TIMES, st.frozensets(DAYS), PODS, st.dictionaries(DIGESTS, DAYS)))
def test_given_any_record_when_it_is_dumped_then_load_returns_it(record: Record) -> None:
    assert logins.load(logins.dump(record)) == record


def test_given_a_record_then_its_text_is_the_one_that_later_versions_read() -> None:
    gaps, pods = frozenset({TODAY, date(2026, 11, 3)}), frozenset({"b", "a"})

    record = logins.updated(Record(date(2026, 11, 1), END, gaps, pods), parse(*login()))

    assert logins.dump(record) == {
        "2026-11-27": "f98916774becaf5d",
        "since": "2026-11-01",
        "until": "2026-11-27T11:00:00Z",
        "gaps": "2026-11-03 2026-11-27",
        "pods": "a b",
    }


@given(st.dictionaries(st.text() | st.sampled_from(["since", "2026-11-27"]), st.text()))
def test_given_any_data_when_loaded_then_it_is_a_record(data: dict[str, str]) -> None:
    record = logins.load(data)

    assert logins.load(logins.dump(record)) == record


def test_given_a_full_record_then_it_fits_into_a_config_map() -> None:
    days = {f"{number:016x}": date(2026, 1, 1) for number in range(MOST)}
    assert len(json.dumps(logins.dump(Record(TODAY, days=days)))) < 400_000


@pytest.mark.parametrize(
    ("begin", "pods", "gaps"),
    [
        (-60, "a b c", []),
        (0, "a b", []),
        (1, "a b", [20]),
        (13 * 3600, "a b", [20, 21]),
        (-60, "a", [20, 21, 22]),
    ],
    ids=["overlap", "just", "late", "the next day", "without a pod"],
)
def test_given_a_look_then_the_days_that_it_missed_a_part_of_are_gaps(
    begin: int, pods: str, gaps: list[int]
) -> None:
    former = frozenset({date(2026, 11, 3)})
    record = Record(date(2026, 11, 1), NOON, former, frozenset("ab"))
    start, end = NOON + datetime.timedelta(seconds=begin), NOON + datetime.timedelta(days=2)

    found = logins.extended(record, pods.split(), NOON, start, end)

    assert (found.since, found.until) == (record.since, end)
    assert found.pods == {*pods.split()}
    assert found.gaps == record.gaps | {date(2026, 11, day) for day in gaps}


def test_given_no_record_when_the_logs_are_read_then_it_begins_where_they_begin() -> None:
    found = logins.extended(Record(), ["a"], NOON, BEGIN, END)

    assert found == Record(BEGIN.date(), END, pods=frozenset("a"))


@pytest.mark.parametrize(
    ("since", "gaps", "days", "begin"),
    [
        (1, [27], 3, date(2026, 11, 24)),
        (1, [26, 24], 3, date(2026, 11, 22)),
        (22, [], 4, date(2026, 11, 23)),
        (23, [], 4, None),
        (None, [], 1, None),
        (1, [], 0, TODAY),
    ],
)
def test_given_a_record_then_only_days_that_are_known_as_a_whole_count(
    since: int | None, gaps: list[int], days: int, begin: date | None
) -> None:
    first = date(2026, 11, since) if since else None
    record = Record(first, END, frozenset(date(2026, 11, day) for day in gaps))

    assert record.begin(days) == begin


@pytest.mark.parametrize(
    ("created", "months", "unused"),
    [
        ("2026-01-01T00:00:00Z", [8], True),
        ("2026-01-01T00:00:00Z", [9], False),
        # Newer than the time that is asked for.
        ("2026-08-31T23:59:59Z", [], True),
        ("2026-09-01T00:00:00Z", [], False),
        # Made by this hook, so nobody could use it yet.
        ("", [], False),
    ],
)
def test_given_a_mapping_then_it_is_unused_if_it_is_older_and_let_nobody_in_since(
    created: str, months: list[int], unused: bool
) -> None:
    found = [Login(BEGIN.replace(month=month, day=1), 1, ROLE, "", "", "") for month in months]
    record = logins.updated(Record(), found)

    assert logins.is_unused(mapping(created=created), record, date(2026, 9, 1)) is unused


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ([*login(1), *login(2)], f"as dev, session alice@example.com, access key {KEY}, 2 times"),
        (login(2)[1:], "as dev"),
    ],
    ids=["all is known", "little is known"],
)
def test_given_logins_then_the_explanation_has_when_whom_session_and_key(
    lines: list[str], said: str
) -> None:
    found = logins.explained(parse(*lines), ROLE, Record(), BEGIN, ["not shown"])

    assert found == [f"let in at 2026-11-27T10:02:00Z {said}"]


@pytest.mark.parametrize(
    ("sessions", "others"),
    [(10, []), (15, ["5 more sessions were let in since 2026-11-27T10:00:00Z"])],
)
def test_given_many_sessions_then_the_explanation_has_the_newest_and_counts_the_others(
    sessions: int, others: list[str]
) -> None:
    lines = [text for n in range(sessions) for text in login(n, session=f"s{n}")]

    found = logins.explained(parse(*lines), ROLE, Record(), BEGIN, [])

    newest = [f"session s{n}," for n in reversed(range(sessions - 10, sessions))]
    assert [text.split(" ", 6)[6].split(" access")[0] for text in found[:10]] == newest
    assert found[10:] == others


def test_given_neither_a_login_nor_a_record_then_the_explanation_says_so() -> None:
    assert logins.explained([], ROLE, Record(), BEGIN, []) == ["no login is known"]


@pytest.mark.parametrize(
    ("gaps", "said"),
    [
        ([], ""),
        ([26], "; the pods' log of 2026-11-26 is incomplete"),
        ([23, 26, 25], "; the pods' logs of 3 days are incomplete, the last 2026-11-26"),
    ],
)
def test_given_no_login_in_the_log_then_the_last_day_is_told_with_the_gaps_since_then(
    gaps: list[int], said: str
) -> None:
    missed = frozenset(date(2026, 11, day) for day in gaps)
    unknown = Record(date(2026, 11, 1), gaps=missed)
    early = frozenset({date(2026, 11, 1), date(2026, 11, 22)})
    since = Login(END.replace(day=23), 1, ROLE, "dev", "", "")
    known = logins.updated(Record(TODAY, gaps=missed | early), [since])

    assert logins.explained([], f"{ROLE}s", unknown, BEGIN, ["no pod"]) == [
        f"no login is known since 2026-11-01{said}",
        "no pod",
    ]
    assert logins.explained([], ROLE, known, BEGIN, ["no pod"]) == [
        f"last let in on 2026-11-23{said}",
        "no pod",
    ]

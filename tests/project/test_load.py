"""What the benchmark of load counts."""

from __future__ import annotations

import itertools
import ssl

import pytest
from benchmarks import api, crowd
from benchmarks.crowd import Crowd, Login
from tests.integration.helpers.load.servers import Server

LOGINS = [
    Login(due=10.0, seconds=0.5, problem="", lost=False),
    Login(due=10.5, seconds=1.5, problem="", lost=False),
    Login(due=11.0, seconds=30.0, problem="refused", lost=True),
    Login(due=11.5, seconds=30.0, problem="refused", lost=False),
]


def test_given_logins_that_queue_then_their_rate_is_that_of_answers() -> None:
    assert crowd.rate(LOGINS) == 2 / (12.0 - 10.0)
    assert crowd.rate(LOGINS[2:]) == 0


def test_given_logins_that_fail_then_those_are_lost_that_fail_twice() -> None:
    assert (crowd.failed(LOGINS), crowd.lost(LOGINS)) == (2, 1)
    assert crowd.last_failure(LOGINS, since=10.0) == 1.5


def test_given_a_user_who_signs_a_token_twice_then_nobody_gets_it_twice() -> None:
    take = crowd.taken_from(iter(["a", "a", "b", "a", "c"]))

    assert [take(), take(), take()] == ["a", "b", "c"]


def test_given_people_who_come_at_once_then_each_try_has_a_token_signed_before(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[str] = []

    def refuse(_: object, __: str, ___: str, body: dict[str, dict[str, str]]) -> str:
        asked.append(body["spec"]["token"])
        return '{"status": {}}'

    monkeypatch.setattr(api, "ask", refuse)
    signed = map(str, itertools.count())
    server = Server("192.0.2.1", 6443, ssl.create_default_context())
    prepared = Crowd(server, lambda: next(signed), "alice").prepared(3)
    assert next(signed) == "6"

    found = prepared.each_once(3)

    assert crowd.lost(found) == 3
    assert sorted(asked) == ["0", "1", "2", "3", "4", "5"]

"""What the benchmark of load and the test of it count."""

from __future__ import annotations

import datetime
import itertools
import ssl

import pytest
from benchmarks import api, crowd
from benchmarks.crowd import Crowd, Login
from tests.integration.helpers.load import upgrade
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


REFUSED = (
    "E1126 09:05:37.764004      66 webhook.go:154] Failed to make webhook authenticator request: "
    'Post "http://127.0.0.1:5000/?timeout=30s": dial tcp 127.0.0.1:5000: connect: '
    "connection refused"
)
CUT = REFUSED.replace("37.764004", "39.500000").replace("dial tcp", "EOF").partition("EOF")[0]
OTHERS = """\
I1126 09:05:38.000000      66 trace.go:236] Trace[873333982]: "Create" http://127.0.0.1:5000/
E1126 09:05:38.100000      66 webhook.go:154] Failed to make webhook authenticator request: the \
server responded with the status code 500: Post "http://127.0.0.1:5000/?timeout=30s"
E1126 09:05:38.200000      66 controller.go:113] dial tcp 10.1.0.5:443: connect: connection refused
Trace[873333982]: [812.900884ms] [812.900884ms] END"""


def test_given_a_log_then_its_moments_are_when_the_api_server_missed_its_own_webhook() -> None:
    moments = upgrade.moments_without_webhook(f"{REFUSED}\n{OTHERS}\n{CUT}EOF\n")

    times = [datetime.datetime.fromtimestamp(moment).astimezone() for moment in moments]
    assert [f"{time:%m-%d %H:%M:%S.%f}" for time in times] == [
        "11-26 09:05:37.764004",
        "11-26 09:05:39.500000",
    ]

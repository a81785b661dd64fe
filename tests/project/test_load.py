"""What the benchmark of load counts."""

from __future__ import annotations

from benchmarks import crowd
from benchmarks.crowd import Login

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

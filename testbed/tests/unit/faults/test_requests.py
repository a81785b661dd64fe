"""Which requests fail."""

from __future__ import annotations

from typing import Any

import pytest

from testbed.faults.requests import Fault, Request, RequestLog
from testbed.juju.errors import UsageError


def request(run: str, method: str, path: str, *, retries: int = 0) -> Request:
    return Request(run, "rider/0", "update-status", method, path, retries)


def failing(log: RequestLog, *requests: tuple[str, str, str], retries: int = 0) -> list[int]:
    """Return the indexes of the requests that fail."""
    arriving = [request(*given, retries=retries) for given in requests]
    return [i for i, given in enumerate(arriving) if log.record(given)[1]]


def test_given_a_fault_then_it_recurs_in_each_hook_until_it_is_cleared() -> None:
    log = RequestLog()
    log.set(Fault("500", (2,)))
    hooks = [(run, "PATCH", f"/{n}") for run in ("one", "two") for n in range(3)]

    assert failing(log, *hooks) == [1, 4]
    log.set(None)
    assert failing(log, *[("three", "PATCH", f"/{n}") for n in range(3)]) == []


@pytest.mark.parametrize(
    ("at", "expected"),
    [((2,), [[1], [], []]), ((2, 3), [[1], [2], []]), ((2, 9, 1), [[1], [], [0]])],
)
def test_given_a_hook_that_is_retried_then_each_retry_has_a_number_of_its_own(
    at: tuple[int, ...], expected: list[list[int]]
) -> None:
    log = RequestLog()
    log.set(Fault("kill", at))

    for hook in ("one", "two"):
        runs = [[(f"{hook} {run}", "PATCH", f"/{n}") for n in range(3)] for run in range(3)]
        failed = [failing(log, *asked, retries=run) for run, asked in enumerate(runs)]

        assert failed == expected
    first = log.fired[0]
    assert (first.run, first.path, first.number) == ("one 0", "/1", 2)


def test_given_a_retry_of_an_earlier_fault_then_it_is_spared() -> None:
    log = RequestLog()
    log.set(Fault("kill", (1,)))

    assert failing(log, ("one", "PATCH", "/"), retries=1) == []


def test_given_a_repeated_get_then_it_is_recorded_and_not_counted() -> None:
    log = RequestLog()
    log.set(Fault("500", (2,)))

    polls = [("one", "GET", "/deployment")] * 3
    assert failing(log, *polls, ("one", "GET", "/mappings")) == [3]
    assert [r.counted for r in log.requests] == [True, False, False, True]


def test_given_two_gets_that_are_repeated_in_turn_then_each_counts_once() -> None:
    log = RequestLog()

    failing(log, *[("one", "GET", "/deployment"), ("one", "GET", "/pods")] * 3)
    failing(log, ("one", "PATCH", "/pods"), ("one", "GET", "/pods"))
    assert [r.counted for r in log.requests] == [*[True] * 2, *[False] * 4, True, True]


def test_given_the_same_get_of_the_next_hook_or_a_repeated_write_then_both_count() -> None:
    log = RequestLog()
    failing(log, ("one", "GET", "/a"), ("two", "GET", "/a"), ("two", "PATCH", "/a"))
    failing(log, ("two", "PATCH", "/a"))

    assert all(r.counted for r in log.requests)


ASKED = [
    ("one", "GET", "/api/v1/services/web"),
    ("one", "PATCH", "/api/v1/services/web?force=true"),
    ("one", "PATCH", "/api/v1/services/web/status"),
    ("one", "GET", "/api/v1/services/web"),
    ("two", "PATCH", "/api/v1/services/web"),
]


@pytest.mark.parametrize(
    ("method", "path", "failed"),
    [
        ("PATCH", "services/web", [1, 4]),
        ("GET", "services/web", [0, 3]),
        ("*", "", [0, 1, 2, 3, 4]),
    ],
)
def test_given_a_method_and_the_end_of_a_path_then_every_such_request_fails(
    method: str, path: str, failed: list[int]
) -> None:
    log = RequestLog()
    log.set(Fault("500", method=method, path=path))

    assert failing(log, *ASKED) == failed


@pytest.mark.parametrize("what", ["", "200", "600", "htm", "slow", "slow:0", "slow:1000"])
def test_given_an_unknown_fault_then_it_is_refused(what: str) -> None:
    with pytest.raises(UsageError, match="slow:SECONDS"):
        Fault(what, (1,))


@pytest.mark.parametrize(
    "where",
    [{}, {"method": "GET"}, {"path": "/a"}, {"at": (1,), "method": "GET", "path": "/a"}],
)
def test_given_no_request_or_two_then_the_fault_is_refused(where: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match="--at-request N, from 1, or --request"):
        Fault("500", **where)

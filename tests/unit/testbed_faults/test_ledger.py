"""Which request goes wrong."""

from __future__ import annotations

import pytest
from testbed.faults.ledger import Fault, Ledger, Request
from testbed.juju.errors import UsageError


def request(run: str, method: str, path: str) -> Request:
    return Request(run, "aws-iam/0", "update-status", method, path)


def wrong(ledger: Ledger, *requests: tuple[str, str, str]) -> list[int]:
    """Places of the requests, in this order, with which something goes wrong."""
    return [i for i, given in enumerate(requests) if ledger.arrives(request(*given))[1]]


def test_given_a_fault_of_each_hook_then_it_comes_back_until_it_is_cleared() -> None:
    ledger = Ledger()
    ledger.set(Fault("500", 2, each_hook=True))
    hooks = [(run, "PATCH", f"/{n}") for run in ("one", "two") for n in range(3)]

    assert wrong(ledger, *hooks) == [1, 4]
    ledger.set(None)
    assert wrong(ledger, *[("three", "PATCH", f"/{n}") for n in range(3)]) == []


def test_given_a_fault_over_all_hooks_then_it_comes_once() -> None:
    ledger = Ledger()
    ledger.set(Fault("kill-before", 4, each_hook=False))

    hooks = [(run, "PATCH", f"/{n}") for run in ("one", "two", "three") for n in range(3)]
    assert wrong(ledger, *hooks) == [3]
    assert ledger.fired
    assert (ledger.fired.run, ledger.fired.path) == ("two", "/0")


def test_given_a_repeated_get_then_it_is_noted_and_not_counted() -> None:
    ledger = Ledger()
    ledger.set(Fault("500", 2, each_hook=False))

    polls = [("one", "GET", "/deployment")] * 3
    assert wrong(ledger, *polls, ("one", "GET", "/mappings")) == [3]
    assert [r.counted for r in ledger.requests] == [True, False, False, True]


def test_given_the_same_get_of_the_next_hook_or_a_repeated_write_then_both_count() -> None:
    ledger = Ledger()
    wrong(ledger, ("one", "GET", "/a"), ("two", "GET", "/a"), ("two", "PATCH", "/a"))
    wrong(ledger, ("two", "PATCH", "/a"))

    assert all(r.counted for r in ledger.requests)


@pytest.mark.parametrize("what", ["", "200", "600", "htm", "slow", "slow:0", "slow:1000", "kill"])
def test_given_no_fault_that_there_is_then_it_is_refused(what: str) -> None:
    with pytest.raises(UsageError, match="slow:SECONDS"):
        Fault(what, 1, each_hook=True)

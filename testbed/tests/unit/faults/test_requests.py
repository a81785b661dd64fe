"""Which requests fail."""

from __future__ import annotations

import pytest

from testbed.faults.requests import Fault, Request, RequestLog
from testbed.juju.errors import UsageError

ASKED = [
    ("GET", "/api/v1/services/web"),
    ("PATCH", "/api/v1/services/web?force=true"),
    ("PATCH", "/api/v1/services/web/status"),
    ("GET", "/api/v1/services/web"),
    ("PATCH", "/api/v1/services/web"),
]


def failing(log: RequestLog) -> list[int]:
    """Return which requests fail."""
    asked = [Request("one", "update-status", *each) for each in ASKED]
    return [i for i, request in enumerate(asked) if log.record(request)[1]]


@pytest.mark.parametrize(
    ("method", "path", "failed"),
    [
        ("PATCH", "services/web", [1, 4]),
        ("GET", "services/web", [0, 3]),
        ("*", "", [0, 1, 2, 3, 4]),
    ],
)
def test_given_a_method_and_the_end_of_a_path_then_every_such_request_fails_until_it_is_cleared(
    method: str, path: str, failed: list[int]
) -> None:
    log = RequestLog()
    log.set(Fault("500", method, path))

    assert failing(log) == failed
    log.set(None)
    assert failing(log) == []


@pytest.mark.parametrize("what", ["", "200", "600", "htm", "slow", "slow:0", "slow:1000"])
def test_given_an_unknown_fault_then_it_is_refused(what: str) -> None:
    with pytest.raises(UsageError, match="slow:SECONDS"):
        Fault(what, "*")

"""The requests of an application's hooks, and which of them fail. Pure."""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import asdict, dataclass, replace
from typing import Any

from testbed.juju.errors import UsageError

KILL = "kill"
EVERY = "*"
ANSWERS = ("CODE", "html", "half", "closed", "slow:SECONDS")
_MOST_SECONDS = 120.0
# How many different GETs a charm asks in turn while it waits: for a Deployment, and for its pods.
_IN_TURN = 2


@dataclass(frozen=True)
class Request:
    """One request of a hook.

    `run` identifies one run of the hook, and `retries` says how often that hook was retried, this
    run included. A GET that repeats one of the two before is not `counted`, unless the hook wrote
    in between: a charm waits in that way. `number` is how many were counted so far, this one
    included. `code` is 0 if the charm got no answer.
    """

    run: str
    unit: str
    hook: str
    method: str
    path: str
    retries: int = 0
    counted: bool = True
    number: int = 0
    code: int = 0
    fault: str = ""


@dataclass(frozen=True)
class Fault:
    """What goes wrong in each hook: at which requests, and how.

    It is the counted request of a number in `at`, or every request of `method` whose path ends
    with `path`, or every request at all, where `method` is EVERY. `at` has the number for the
    hook's first run, then for its first retry, and so on; in later retries no number is due.
    """

    what: str
    at: tuple[int, ...] = ()
    method: str = ""
    path: str = ""

    def __post_init__(self) -> None:
        if not _is_fault(self.what):
            raise UsageError(f"give one of {', '.join(ANSWERS)}, not {self.what}")
        named = self.method == EVERY or bool(self.method and self.path)
        if named == bool(self.at):
            raise UsageError('give --at-request N, from 1, or --request "METHOD PATH" or "*"')

    def hits(self, request: Request) -> bool:
        """Return whether this request fails."""
        if self.at:
            due = self.at[request.retries] if request.retries < len(self.at) else 0
            return request.counted and request.number == due
        path = request.path.partition("?")[0]
        return self.method in (request.method, EVERY) and path.endswith(self.path)


def _is_fault(what: str) -> bool:
    name, _, seconds = what.partition(":")
    if name == "slow":
        return seconds.isdigit() and 0 < int(seconds) <= _MOST_SECONDS
    return what in (KILL, *ANSWERS) or (what.isdigit() and 400 <= int(what) < 600)


class RequestLog:
    """The requests of an application, in order."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._fault: Fault | None = None
        self._counts: Counter[str] = Counter()
        self.requests: list[Request] = []
        self.fired: list[Request] = []

    def set(self, fault: Fault | None) -> None:
        """Replace the fault, None for no fault, and restart the counts."""
        with self._lock:
            self._fault, self.fired = fault, []
            self._counts.clear()

    def record(self, request: Request) -> tuple[int, Fault | None]:
        """Record a request. Return its index in `requests`, and the fault to carry out."""
        with self._lock:
            counted = not self._repeats(request)
            self._counts[request.run] += counted
            request = replace(request, counted=counted, number=self._counts[request.run])
            fault = self._fault if self._fault and self._fault.hits(request) else None
            if fault:
                request = replace(request, fault=fault.what)
                self.fired.append(request)
            self.requests.append(request)
            return len(self.requests) - 1, fault

    def answered(self, index: int, code: int) -> None:
        """Record the code of the answer to the request at `index`."""
        with self._lock:
            self.requests[index] = replace(self.requests[index], code=code)

    def report(self) -> dict[str, Any]:
        """Return all requests, and those that failed, as a JSON document."""
        with self._lock:
            return {
                "fired": [asdict(request) for request in self.fired],
                "requests": [asdict(request) for request in self.requests],
            }

    def _repeats(self, request: Request) -> bool:
        if request.method != "GET":
            return False
        for former in reversed(self.requests[-_IN_TURN:]):
            if (former.run, former.method) != (request.run, "GET"):
                return False
            if former.path == request.path:
                return True
        return False

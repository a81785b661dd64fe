"""The requests of an application's hooks, and which of them fail. Pure."""

from __future__ import annotations

import threading
from dataclasses import asdict, dataclass, replace
from typing import Any

from testbed.juju.errors import UsageError

EVERY = "*"
ANSWERS = ("CODE", "html", "half", "closed", "slow:SECONDS")
_MOST_SECONDS = 120.0


@dataclass(frozen=True)
class Request:
    """One request of a hook, of which `run` identifies one run.

    `code` is 0 if the charm got no answer.
    """

    run: str
    hook: str
    method: str
    path: str
    code: int = 0
    fault: str = ""


@dataclass(frozen=True)
class Fault:
    """What goes wrong with every request of `method` whose path ends with `path`.

    Where `method` is EVERY, it is every request.
    """

    what: str
    method: str
    path: str = ""

    def __post_init__(self) -> None:
        if not _is_fault(self.what):
            raise UsageError(f"give one of {', '.join(ANSWERS)}, not {self.what}")
        if self.method != EVERY and not (self.method and self.path):
            raise UsageError('give --request "METHOD PATH" or "*"')

    def hits(self, request: Request) -> bool:
        """Return whether this request fails."""
        path = request.path.partition("?")[0]
        return self.method in (request.method, EVERY) and path.endswith(self.path)


def _is_fault(what: str) -> bool:
    name, _, seconds = what.partition(":")
    if name == "slow":
        return seconds.isdigit() and 0 < int(seconds) <= _MOST_SECONDS
    return what in ANSWERS or (what.isdigit() and 400 <= int(what) < 600)


class RequestLog:
    """The requests of an application, in order."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._fault: Fault | None = None
        self.requests: list[Request] = []
        self.fired: list[Request] = []

    def set(self, fault: Fault | None) -> None:
        """Replace the fault; None for no fault."""
        with self._lock:
            self._fault, self.fired = fault, []

    def record(self, request: Request) -> tuple[int, Fault | None]:
        """Record a request. Return its index in `requests`, and the fault to carry out."""
        with self._lock:
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

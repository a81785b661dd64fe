"""`testbedctl faults` for tests, which run on the operator's machine."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from testbed import testbedctl
from testbed.faults.requests import Request


@dataclass(frozen=True)
class Faults:
    """The tap of one application, which lasts as long as the `with` block."""

    model: str
    application: str = "aws-iam"

    def __enter__(self) -> Faults:
        self._control("on")
        return self

    def __exit__(self, *_: object) -> None:
        self._control("off")

    def answer(self, what: str, request: str) -> None:
        """Let every request go wrong whose method and end of path are `request`, as in
        `PATCH services/web`: with a code from 400, `html`, `half`, `closed`, or `slow:SECONDS`."""
        self._control("answer", what, "--request", request)

    def kill(self, at: int, *, after: bool = False) -> None:
        """SIGKILL every hook from now on at its `at`-th request, but for one that is run again:
        before the API server has it, or after it was carried out and before the hook is told."""
        self._control("kill", "--at-request", str(at), *(["--after"] if after else []))

    def clear(self) -> None:
        """Let nothing go wrong, and count anew."""
        self._control("clear")

    def requests(self) -> list[Request]:
        """Every request since the tap was set."""
        return [Request(**request) for request in self._report()["requests"]]

    def fired(self) -> list[Request]:
        """The requests that went wrong since `answer` or `kill`."""
        return [Request(**request) for request in self._report()["fired"]]

    def _report(self) -> dict[str, Any]:
        return json.loads(self._control("requests"))

    def _control(self, verb: str, *args: str) -> str:
        return testbedctl.run(self.model, "faults", verb, self.application, *args)

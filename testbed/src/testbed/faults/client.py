"""`testbedctl faults`, `break` and `mend`, for tests on the operator's machine."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from testbed import testbedctl
from testbed.faults.requests import Request


@dataclass(frozen=True)
class Faults:
    """Intercepts the requests of one application's hooks inside a `with` block."""

    model: str
    application: str

    def __enter__(self) -> Faults:
        self._control("on")
        return self

    def __exit__(self, *_: object) -> None:
        self._control("off")

    def answer(self, what: str, request: str) -> None:
        """Give a wrong answer to every request with the method and end of path of `request`.

        `request` is, for example, `PATCH services/web`; `*` is every request. `what` is an HTTP
        code from 400 to 599, `html`, `half`, `closed` or `slow:SECONDS`.
        """
        self._control("answer", what, "--request", request)

    def clear(self) -> None:
        """Answer every request correctly again."""
        self._control("clear")

    def requests(self) -> list[Request]:
        """Return every request since the `with` block began."""
        return [Request(**request) for request in self._report()["requests"]]

    def fired(self) -> list[Request]:
        """Return the requests that went wrong since the last `answer`."""
        return [Request(**request) for request in self._report()["fired"]]

    def _report(self) -> dict[str, Any]:
        return json.loads(self._control("requests"))

    def _control(self, verb: str, *args: str) -> str:
        return testbedctl.run(self.model, "faults", verb, self.application, *args)


@contextlib.contextmanager
def broken(model: str, what: str) -> Iterator[None]:
    """Break one of `breakage.KINDS` for the model's machines and pods while the block lasts."""
    testbedctl.run(model, "break", what)
    try:
        yield
    finally:
        testbedctl.run(model, "mend", what)

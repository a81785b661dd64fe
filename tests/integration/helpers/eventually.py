"""Wait until something holds."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

Value = TypeVar("Value")


def eventually(
    check: Callable[[], Value | None], what: str, seconds: float = 60, interval: float = 0.5
) -> Value:
    """Call `check` until it returns something true, and return that."""
    deadline = time.monotonic() + seconds
    while not (found := check()):
        assert time.monotonic() < deadline, f"not {what} after {seconds} s: {found!r}"
        time.sleep(interval)
    return found

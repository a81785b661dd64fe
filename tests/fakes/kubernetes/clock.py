"""Time that goes on when somebody sleeps."""

from __future__ import annotations


class Clock:
    """Stands in for the module `time`: sleeping takes no time, but the clock goes on."""

    def __init__(self) -> None:
        self.now = 0.0

    def monotonic(self) -> float:
        return self.now

    def time(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds

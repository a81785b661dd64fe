"""What time alone makes due: the retry of a failed hook, an update-status.

Moments are values of `time.monotonic()`. All durations are in seconds.
"""

from __future__ import annotations

from dataclasses import dataclass

FIRST_RETRY, LAST_RETRY = 0.25, 60.0
"""Seconds. Juju itself begins with five, and ends with five minutes."""


@dataclass
class Retry:
    """When to retry a failed hook: soon, then less and less often."""

    at: float | None = None
    wait: float = FIRST_RETRY

    def failed(self, moment: float) -> None:
        """Make the hook due after a wait. The next wait is twice as long."""
        self.at = moment + self.wait
        self.wait = min(self.wait * 2, LAST_RETRY)

    def begun(self) -> None:
        """Note that the hook runs: it is not due until it fails again."""
        self.at = None

    def succeeded(self) -> None:
        """Note that the hook succeeded: the next wait is the shortest again."""
        self.at, self.wait = None, FIRST_RETRY

    def due(self, moment: float) -> bool:
        """Return whether to retry the hook now."""
        return self.at is not None and moment >= self.at


@dataclass
class UpdateStatus:
    """When update-status is due: once in each interval. The interval may change."""

    at: float | None = None
    interval: float = 0.0

    def passed(self, moment: float, interval: float) -> bool:
        """Return whether one has become due. Each is reported once."""
        if self.at is None or interval != self.interval:
            self.at, self.interval = moment + interval, interval
        if moment < self.at:
            return False
        self.at = moment + interval
        return True

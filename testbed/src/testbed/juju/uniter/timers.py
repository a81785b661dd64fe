"""When something is due that time alone brings: a failed hook again, an update-status.

Moments are `time.monotonic()`; all durations are in seconds.
"""

from __future__ import annotations

from dataclasses import dataclass

FIRST_RETRY, LAST_RETRY = 1.0, 60.0


@dataclass
class Retry:
    """Runs a failed hook again: soon, then less and less often."""

    at: float | None = None
    wait: float = FIRST_RETRY

    def failed(self, moment: float) -> None:
        """The hook has failed: it is due again after a wait, the next time after twice that."""
        self.at = moment + self.wait
        self.wait = min(self.wait * 2, LAST_RETRY)

    def begun(self) -> None:
        """The hook runs: nothing is due until it fails."""
        self.at = None

    def succeeded(self) -> None:
        """The next failure is a first one."""
        self.at, self.wait = None, FIRST_RETRY

    def due(self, moment: float) -> bool:
        """Whether the hook is to run again now."""
        return self.at is not None and moment >= self.at


@dataclass
class UpdateStatus:
    """Lets an update-status become due in each interval, which may change."""

    at: float | None = None
    interval: float = 0.0

    def passed(self, moment: float, interval: float) -> bool:
        """Whether one has become due; each is said once."""
        if self.at is None or interval != self.interval:
            self.at, self.interval = moment + interval, interval
        if moment < self.at:
            return False
        self.at = moment + interval
        return True

"""What is raised where a promise does not hold."""

from __future__ import annotations


class Broken(AssertionError):
    """A promise that does not hold: its number, what is wrong, and the details."""

    def __init__(self, promise: str, wrong: str, *details: object) -> None:
        self.promise, self.wrong = promise, wrong
        self.details = " ".join(str(each) for each in details)[:600]
        super().__init__(f"{promise} broken: {wrong}: {self.details}")

    @property
    def signature(self) -> str:
        return f"{self.promise}: {self.wrong}"

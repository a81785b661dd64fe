"""The points at which a hook is killed, each once, and who of several runs takes which."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

SHARD = "TESTBED_KILL_SHARD"


@dataclass(frozen=True)
class Point:
    """The hook dies at the ``number``-th ``what``, counted over all hooks from the beginning.

    ``tool call``: instead of it. ``request``: before the API server has it. ``answer``: once it
    was carried out, and before the charm is told.
    """

    what: str
    number: int

    def __str__(self) -> str:
        return f"{self.what} {self.number}"


@dataclass(frozen=True)
class Counted:
    """What an undisturbed run did: its hook-tool calls, and the method of each request."""

    tool_calls: int
    methods: Sequence[str]

    def points(self) -> Iterator[Point]:
        """Every point at which what is left behind may differ.

        To die after a GET is to die before what comes next: nothing was changed by either.
        """
        for number in range(1, self.tool_calls + 1):
            yield Point("tool call", number)
        for number, method in enumerate(self.methods, start=1):
            yield Point("request", number)
            if method != "GET":
                yield Point("answer", number)

    def __str__(self) -> str:
        writes = sum(method != "GET" for method in self.methods)
        return (
            f"{self.tool_calls} tool calls, {len(self.methods)} requests, {writes} of them writes"
        )


@dataclass(frozen=True)
class Shard:
    """The ``number``-th of ``of`` equal parts of all points, from 1."""

    number: int
    of: int

    @classmethod
    def chosen(cls) -> Shard:
        """By ``TESTBED_KILL_SHARD``, as ``2/4``; everything where it is not set.

        Raises:
            ValueError: it is no such pair.
        """
        text = os.environ.get(SHARD, "1/1")
        number, _, of = text.partition("/")
        if not (number.isdigit() and of.isdigit() and 1 <= int(number) <= int(of)):
            raise ValueError(f"{SHARD}={text!r}: give it as 2/4, the second of four parts")
        return cls(int(number), int(of))

    def part(self, points: Sequence[Point]) -> list[Point]:
        """This shard's points."""
        return list(points[self.number - 1 :: self.of])

    def __str__(self) -> str:
        return f"shard {self.number} of {self.of} ({SHARD})"

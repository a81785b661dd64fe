"""Choose the points at which hooks are killed, and spread them over the runs."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

CALL, ANSWER = "tool call", "answer"
_DEATHS = 3
"""How often a hook dies in one run, at most."""


@dataclass(frozen=True)
class Wave:
    """Every hook, or every one called ``hook``, dies once, at its ``number``-th ``what``.

    ``tool call``: the hook dies instead of the call. ``answer``: after the API server has carried
    out the request, before the hook has the answer. To die before a request leaves what dying
    after the write, or instead of the call, before it leaves: a GET changes nothing.
    """

    what: str
    number: int
    hook: str = ""

    def __str__(self) -> str:
        return f"every {self.hook or 'hook'} at its {self.what} {self.number}"


@dataclass(frozen=True)
class Hook:
    """A hook of an undisturbed run: its hook-tool calls, and the methods of its requests."""

    name: str
    calls: int
    methods: Sequence[str]

    def dies(self, wave: Wave) -> bool:
        """Return whether the hook gets that far, and dying there may leave something behind."""
        if wave.what == CALL:
            return wave.number <= self.calls
        return wave.number <= len(self.methods) and self.methods[wave.number - 1] != "GET"


@dataclass(frozen=True)
class Step:
    """The hooks of an undisturbed run, in order."""

    hooks: Sequence[Hook]

    def waves(self) -> Iterator[Wave]:
        """Yield as many waves as it takes to reach every point."""
        calls = max(hook.calls for hook in self.hooks)
        requests = max(len(hook.methods) for hook in self.hooks)
        for what, most in ((CALL, calls), (ANSWER, requests)):
            waves = (Wave(what, number) for number in range(1, most + 1))
            yield from (wave for wave in waves if self.points(wave))

    def runs(self) -> Iterator[tuple[Wave, ...]]:
        """Yield the waves of each run: a hook that dies early dies later when Juju retries it.

        A retry repeats what the killed run did. If it makes fewer requests, and so does not die,
        the `Sweep` runs that wave again alone.
        """
        for _, group in itertools.groupby(self.waves(), key=lambda wave: wave.what):
            waves = list(group)
            runs = -(-len(waves) // _DEATHS)
            yield from (tuple(waves[first::runs]) for first in range(runs))

    def points(self, wave: Wave) -> Counter[str]:
        """Return how many hooks of each name die in a wave."""
        return Counter(hook.name for hook in self.hooks if hook.dies(wave))

    def __str__(self) -> str:
        points = sum(self.points(wave).total() for wave in self.waves())
        return f"{len(self.hooks)} hooks, {points} points in {len(list(self.runs()))} runs"

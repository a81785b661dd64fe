"""The points at which hooks are killed, each once, and how they are spread over the runs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

CALL, REQUEST, ANSWER = "tool call", "request", "answer"


@dataclass(frozen=True)
class Wave:
    """One run, in which every hook dies once, where it comes to its ``number``-th ``what``.

    ``tool call``: instead of it. ``request``: before the API server has it. ``answer``: once it
    was carried out, and before the charm is told.
    """

    what: str
    number: int

    def __str__(self) -> str:
        return f"every hook at its {self.what} {self.number}"


@dataclass(frozen=True)
class Hook:
    """What one hook of an undisturbed run did: its hook-tool calls, the method of each request."""

    name: str
    calls: int
    methods: Sequence[str]

    def dies(self, wave: Wave) -> bool:
        """Whether it comes that far, and what is left behind may differ then.

        To die after a GET is to die before what comes next: nothing was changed by either.
        """
        if wave.what == CALL:
            return wave.number <= self.calls
        if wave.number > len(self.methods):
            return False
        return wave.what == REQUEST or self.methods[wave.number - 1] != "GET"


@dataclass(frozen=True)
class Step:
    """The hooks of an undisturbed run, in their order."""

    hooks: Sequence[Hook]

    def waves(self) -> Iterator[Wave]:
        """As many as it takes for every point."""
        calls = max(hook.calls for hook in self.hooks)
        requests = max(len(hook.methods) for hook in self.hooks)
        for what, most in ((CALL, calls), (REQUEST, requests), (ANSWER, requests)):
            waves = (Wave(what, number) for number in range(1, most + 1))
            yield from (wave for wave in waves if self.points(wave))

    def points(self, wave: Wave) -> Counter[str]:
        """How often hooks of which name die in a wave."""
        return Counter(hook.name for hook in self.hooks if hook.dies(wave))

    def __str__(self) -> str:
        waves = list(self.waves())
        of = {what: sum(self._points(waves, what)) for what in (CALL, REQUEST, ANSWER)}
        return (
            f"{len(self.hooks)} hooks, {of[CALL]} tool calls, {of[REQUEST]} requests, "
            f"{of[ANSWER]} of them writes: {sum(of.values())} points in {len(waves)} runs"
        )

    def _points(self, waves: Sequence[Wave], what: str) -> Iterator[int]:
        return (self.points(wave).total() for wave in waves if wave.what == what)

"""Read how long hooks took in the testbed, and how many hook-tool calls they made."""

from __future__ import annotations

import statistics
from collections.abc import Iterable
from dataclasses import dataclass

from testbed import testbedctl

MODEL = "default"


@dataclass(frozen=True)
class Hook:
    """One run of a hook: its name, the seconds of its process, and its hook-tool calls."""

    run: str
    name: str
    seconds: float
    calls: int


def of(unit: str) -> list[Hook]:
    """Return every hook of ``unit`` so far, in order."""
    found = testbedctl.hooks(MODEL, unit)
    return [Hook(h["id"], h["name"], h["seconds"], h["tool_calls"]) for h in found]


def update_status(unit: str) -> Hook:
    """Run update-status on ``unit`` now, and return that run."""
    testbedctl.update_status(MODEL, unit)
    hook = of(unit)[-1]
    if hook.name != "update-status":
        raise RuntimeError(f"{unit} ran {hook.name} after update-status, so it was not settled")
    return hook


def paired(unit: str, reference: str, rounds: int) -> tuple[list[Hook], list[Hook]]:
    """Run update-status on ``unit`` and ``reference`` in turn, after one of each to warm up."""
    update_status(unit)
    update_status(reference)
    pairs = [(update_status(unit), update_status(reference)) for _ in range(rounds)]
    return [pair[0] for pair in pairs], [pair[1] for pair in pairs]


def ratio(measured: Iterable[Hook], reference: Iterable[Hook]) -> float:
    """Return the median of the pairs' ratios, which a machine that slows down does not change."""
    pairs = zip(measured, reference, strict=True)
    return statistics.median(one.seconds / other.seconds for one, other in pairs)


def median_seconds(hooks: Iterable[Hook]) -> float:
    """Return the median of the seconds that the processes took."""
    return statistics.median(hook.seconds for hook in hooks)

"""Hooks that the testbed has run: how long, with how many hook-tool calls."""

from __future__ import annotations

import statistics
from collections.abc import Iterable
from dataclasses import dataclass

from testbed import testbedctl

MODEL = "default"


@dataclass(frozen=True)
class Hook:
    """One hook as it ran: its name, whole-process seconds, and hook-tool calls."""

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
    """Update-status of ``unit`` and of ``reference`` in turn, after one of each for warmth."""
    update_status(unit)
    update_status(reference)
    pairs = [(update_status(unit), update_status(reference)) for _ in range(rounds)]
    return [pair[0] for pair in pairs], [pair[1] for pair in pairs]


def ratio(measured: Iterable[Hook], reference: Iterable[Hook]) -> float:
    """Median of the ratios pair by pair, which a machine that drifts leaves alone."""
    pairs = zip(measured, reference, strict=True)
    return statistics.median(one.seconds / other.seconds for one, other in pairs)


def median_seconds(hooks: Iterable[Hook]) -> float:
    """Median of whole-process seconds."""
    return statistics.median(hook.seconds for hook in hooks)

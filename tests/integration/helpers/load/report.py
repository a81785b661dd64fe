"""Report what became of the logins of each phase."""

from __future__ import annotations

import dataclasses
import statistics
from collections.abc import Sequence

from tests.integration.helpers.load.load import Load, Login

_HEADING = ("phase", "seconds", "logins", "API server down", "failed", "p50 ms", "p99 ms")


@dataclasses.dataclass(frozen=True)
class Phase:
    """A change to the application, and when it began and ended."""

    name: str
    start: float
    end: float


def failures(load: Load) -> list[Login]:
    """Return the logins that failed although their API server was up."""
    return [
        login
        for login in load.logins
        if login.problem and not load.watches[login.host].was_down(login.start, login.end)
    ]


def table(load: Load, phases: Sequence[Phase]) -> str:
    """Return a line for each phase, about the logins that began in it."""
    rows = [_HEADING, *(_row(load, phase) for phase in phases)]
    widths = [max(len(row[i]) for row in rows) for i in range(len(_HEADING))]
    lines = [
        "  ".join(
            cell.ljust(width) if not i else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in rows
    ]
    return "\n".join(lines)


def _row(load: Load, phase: Phase) -> tuple[str, ...]:
    logins = [login for login in load.logins if phase.start <= login.start < phase.end]
    failed = {id(login) for login in failures(load)}
    broken = [login for login in logins if login.problem]
    unexplained = sum(id(login) in failed for login in broken)
    reviews = [x.end - x.start for x in logins if not x.problem and x.kind == "review"]
    cuts = statistics.quantiles(reviews, n=100) if len(reviews) > 1 else [0.0] * 99
    return (
        phase.name,
        f"{phase.end - phase.start:.0f}",
        str(len(logins)),
        str(len(broken) - unexplained),
        str(unexplained),
        f"{cuts[49] * 1000:.0f}",
        f"{cuts[98] * 1000:.0f}",
    )

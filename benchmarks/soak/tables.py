"""What came of a soak, as tables: logins, what went wrong, processes and hooks."""

from __future__ import annotations

import re
import statistics
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from rich.markup import escape
from rich.table import Table

from benchmarks import programs
from benchmarks.soak.people import Login


@dataclass(frozen=True)
class Phase:
    """A change, when it began and ended, the load of the machine then, and what went wrong."""

    name: str
    start: float
    end: float
    load: float
    problem: str


@dataclass(frozen=True)
class Sample:
    """What a process has: its age in seconds, resident MiB and open file descriptors."""

    taken: float
    process: programs.Process
    age: float
    memory: float
    files: int


def changes(names: Sequence[str], phases: Sequence[Phase], logins: Sequence[Login]) -> Table:
    """Say what came of the logins, by what went on meanwhile."""
    table = Table("meanwhile", "times", "s", "logins", "failed", "lost", "p50", "p99", "load")
    table.add_column("went wrong")
    for name in (*names, "all"):
        during = [x for x in phases if name in (x.name, "all")]
        if not during:
            continue
        found = [login for phase in during for login in of(logins, phase)]
        took = [x.seconds * 1000 for x in found if not x.problem]
        cuts = statistics.quantiles(took, n=100) if len(took) > 1 else [0.0] * 99
        table.add_row(
            name,
            f"{len(during)}",
            f"{statistics.median(x.end - x.start for x in during):.0f}",
            f"{len(found)}",
            f"{sum(bool(x.problem) for x in found)}",
            f"{sum(bool(x.second) for x in found)}",
            f"{cuts[49]:.0f} ms",
            f"{cuts[98]:.0f} ms",
            f"{statistics.mean(x.load for x in during):.1f}",
            f"{sum(bool(x.problem) for x in during)}",
        )
    return table


def causes(phases: Sequence[Phase], logins: Sequence[Login]) -> Table:
    """Say what went wrong with logins, by what went on meanwhile."""
    table = Table("meanwhile", "failed", "lost", "s after its start", "why")
    found = defaultdict[tuple[str, str], list[tuple[float, Login]]](list)
    for phase in phases:
        for login in of(logins, phase):
            if login.problem:
                found[phase.name, _kind(login.problem)].append((login.due - phase.start, login))
    for (name, why), those in sorted(found.items(), key=lambda each: -len(each[1])):
        after = [seconds for seconds, _ in those]
        lost = sum(bool(login.second) for _, login in those)
        when = f"{min(after):.0f} … {max(after):.0f}"
        table.add_row(name, f"{len(those)}", f"{lost}", when, escape(why))
    return table


def _kind(problem: str) -> str:
    """Return a problem without what differs from login to login."""
    return re.sub(r"\d+\.\d+\.\d+\.\d+(:\d+)?|\d+", "N", problem)[:160]


def processes(samples: Sequence[Sample]) -> Table:
    """Say what memory and files the longest-lived processes had when young and in the end."""
    table = Table("program", "processes", "most MiB", "most files", "of the oldest: age")
    for heading in ("MiB, second minute", "median of last five", "files", "median of last five"):
        table.add_column(heading)
    for name in programs.NAMES:
        by_process = defaultdict[Path, list[Sample]](list)
        for sample in samples:
            if sample.process.program == name:
                by_process[sample.process.folder].append(sample)
        if not by_process:
            continue
        everything = [x for each in by_process.values() for x in each]
        for oldest in sorted(by_process.values(), key=lambda each: -each[-1].age)[:3]:
            young, last = oldest[min(1, len(oldest) - 1)], oldest[-5:]
            table.add_row(
                name,
                f"{len(by_process)}",
                f"{max(x.memory for x in everything):.0f}",
                f"{max(x.files for x in everything)}",
                f"{oldest[-1].age / 60:.0f} min",
                f"{young.memory:.0f}",
                f"{statistics.median(x.memory for x in last):.0f}",
                f"{young.files}",
                f"{statistics.median(x.files for x in last):.0f}",
            )
    return table


def hooks(
    ran_by: Mapping[str, Sequence[Mapping[str, Any]]],
    seen: Mapping[str, float],
    quiet_phases: Sequence[Phase],
    began: float,
) -> Table:
    """Say how many hooks each unit ran an hour, and how many while nothing was changed.

    ``seen`` is when each unit's hooks were last looked for.
    """
    table = Table("unit", "minutes", "hooks", "an hour", "hook tools an hour", "failed")
    for heading in ("update-status", "hooks while nothing changed", "an hour of that"):
        table.add_column(heading)
    for name, everything in ran_by.items():
        ran = {_start(hook): hook for hook in everything if _start(hook) > began}
        if not ran:
            continue
        joined = began if len(ran) < len(everything) else min(ran)
        last = seen[name]
        hours = (last - joined) / 3600
        quiet = [x for x in quiet_phases if joined < x.start and x.end < last]
        still = sum(x.start <= start < x.end for x in quiet for start in ran)
        calm = sum(x.end - x.start for x in quiet) / 3600
        table.add_row(
            name,
            f"{hours * 60:.0f}",
            f"{len(ran)}",
            f"{len(ran) / hours:.0f}",
            f"{sum(hook['tool_calls'] for hook in ran.values()) / hours:.0f}",
            f"{sum(bool(hook['code']) for hook in ran.values())}",
            f"{sum(hook['name'] == 'update-status' for hook in ran.values())}",
            f"{still}",
            f"{still / calm:.0f}" if calm else "",
        )
    return table


def _start(hook: Mapping[str, Any]) -> float:
    return datetime.fromisoformat(hook["start"]).timestamp()


def of(done: Sequence[Login], phase: Phase) -> list[Login]:
    """Return the logins that were due in a phase."""
    return [login for login in list(done) if phase.start <= login.due < phase.end]


def count(done: Sequence[Login]) -> str:
    """Return how many logins there were, and what became of them."""
    failed, lost = sum(bool(x.problem) for x in done), sum(bool(x.second) for x in done)
    return f"{len(done)} logins, {failed} failed, {lost} lost"

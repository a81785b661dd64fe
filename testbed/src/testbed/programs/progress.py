"""How far a build of several modules is, and how long it will still take."""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections.abc import Iterator, Mapping, Sequence

from rich.console import Console
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table

from testbed.programs.compiler import Package
from testbed.programs.modules import Module

_LINE_SECONDS = 15
"""Seconds between two lines of progress where there is no terminal."""
_BYTES_A_SECOND = 350_000
"""How much of the sources one core compiles in a second, before it is known."""
_LINK_BYTES = 2_000_000
"""How much could be compiled in the time that it takes to link a program."""


class Progress:
    """Counts packages. The estimate goes by the size of their sources."""

    def __init__(self, packages: Mapping[Module, Sequence[Package]]) -> None:
        self._sizes: dict[str, dict[str, int]] = {}
        self._links = {module.name: len(module.packages) * _LINK_BYTES for module in packages}
        standard: set[str] = set()
        for module, needed in packages.items():
            own = {p.path: p.size for p in needed if not (p.standard and p.path in standard)}
            self._sizes[module.name] = own
            standard |= {p.path for p in needed if p.standard}
        self._left = {name: dict(sizes) for name, sizes in self._sizes.items()}
        self.total = sum(map(len, self._sizes.values()))
        self._size = self._remaining_size()

    @property
    def done(self) -> int:
        """The number of packages whose compiling has begun or is not needed."""
        return self.total - sum(map(len, self._left.values()))

    def started(self, module: Module, package: str) -> None:
        """Take note that a package is being compiled."""
        self._left[module.name].pop(package, None)

    def built(self, module: Module) -> None:
        """Take note that a module's programs are there."""
        self._left[module.name].clear()
        self._links[module.name] = 0

    def seconds_left(self, passed: float) -> float:
        """Return how long the rest will take, as it went for the seconds that have passed."""
        remaining = self._remaining_size()
        finished = self._size - remaining
        if passed < _LINE_SECONDS or not finished:
            return remaining / (_BYTES_A_SECOND * (os.cpu_count() or 1))
        return passed * remaining / finished

    def _remaining_size(self) -> int:
        compiled = sum(sum(sizes.values()) for sizes in self._left.values())
        return compiled + sum(self._links.values())


def span(seconds: float) -> str:
    """Return a span of time as a person says it: `45 s`, `6 min 32 s`."""
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


@contextlib.contextmanager
def shown(
    progress: Progress, console: Console, line_seconds: float = _LINE_SECONDS
) -> Iterator[None]:
    """Show the progress meanwhile: as a bar on a terminal, as a line now and then elsewhere."""
    began = time.monotonic()
    if console.is_terminal:
        with Live(console=console, transient=True, get_renderable=lambda: _bar(progress, began)):
            yield
        return
    ended = threading.Event()

    def print_lines() -> None:
        while not ended.wait(line_seconds):
            console.print(f"  {_text(progress, began)}")

    lines = threading.Thread(target=print_lines)
    lines.start()
    try:
        yield
    finally:
        ended.set()
        lines.join()


def _bar(progress: Progress, began: float) -> Table:
    table = Table.grid(padding=(0, 2))
    table.add_row("", ProgressBar(progress.total, progress.done, 40), _text(progress, began))
    return table


def _text(progress: Progress, began: float) -> str:
    passed = time.monotonic() - began
    left = span(progress.seconds_left(passed))
    return f"{progress.done}/{progress.total} packages, {span(passed)}, about {left} left"

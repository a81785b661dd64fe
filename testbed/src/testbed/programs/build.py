"""Builds the cluster's programs into the cache, once, and shows how far it is."""

from __future__ import annotations

import collections
import contextlib
import os
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from testbed.cache import keyed
from testbed.programs import go as go_compiler
from testbed.programs.locks import exclusive
from testbed.programs.modules import Module, all_modules

_QUIET_SECONDS = 15
"""Seconds between two lines of progress where there is no terminal."""
_REPORTED_LINES = 15


class BuildFailed(Exception):
    """A module did not build; the message holds the compiler's last lines."""


def programs(console: Console) -> Path:
    """Return the folder that holds all programs, building those that are not in the cache.

    Safe when two processes call it: the second waits for the first. Raises BuildFailed and
    GoMissing.
    """
    modules = all_modules()
    missing = [module for module in modules if not module.cache.exists()]
    if missing:
        _build_all(missing, console)
    return _joined(modules)


def _build_all(modules: list[Module], console: Console) -> None:
    needed = max(module.go_version for module in modules)
    go = go_compiler.find_go(needed, console.print)
    names = ", ".join(module.name for module in modules)
    console.print(
        f"Building the cluster's programs ({names}), once: about a quarter of an hour on two cores"
    )
    for module in modules:
        with exclusive(module.cache):
            if not module.cache.exists():
                _build(module, go, console)


def _build(module: Module, go: str, console: Console) -> None:
    unfinished = module.cache.with_name(module.cache.name + ".unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(parents=True)
    with _shown(module, console) as bar:
        bar.expect(_count_packages(module, go))
        _compile(module, go, unfinished, bar)
    for package in module.packages:
        built = unfinished / (module.name if package == "." else _go_name(package))
        built.rename(unfinished / module.output_name(package))
    unfinished.rename(module.cache)


def _go_name(package: str) -> str:
    """Return the name that `go build` gives a program: a version at the end does not count."""
    return re.sub(r"/v\d+$", "", package).rsplit("/", 1)[-1]


def _compile(module: Module, go: str, target: Path, bar: _Bar) -> None:
    output = target / module.name if module.packages == ["."] else target
    command = [go, "build", "-v", "-trimpath", "-buildvcs=false", "-mod=readonly"]
    command += ["-ldflags", module.linker_flags, "-o", f"{output}", *module.packages]
    if output == target:
        command[command.index(f"{output}")] = f"{output}{os.sep}"
    last_lines: collections.deque[str] = collections.deque(maxlen=_REPORTED_LINES)
    with subprocess.Popen(
        command,
        cwd=module.folder,
        env=go_compiler.environment(go),
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stderr is not None
        for line in process.stderr:
            last_lines.append(line.rstrip())
            bar.step(line.strip())
    if process.returncode != 0:
        raise BuildFailed(f"building {module.name} failed:\n" + "\n".join(last_lines))


def _count_packages(module: Module, go: str) -> int:
    """Return how many packages the programs are made of; this also downloads their modules."""
    listing = subprocess.run(
        [go, "list", "-mod=readonly", "-deps", *module.packages],
        cwd=module.folder,
        env=go_compiler.environment(go),
        capture_output=True,
        text=True,
        check=False,
    )
    if listing.returncode != 0:
        lines = listing.stderr.strip().splitlines()[-_REPORTED_LINES:]
        raise BuildFailed(f"downloading the modules of {module.name} failed:\n" + "\n".join(lines))
    return len(listing.stdout.split())


class _Bar:
    """The progress of one module: a bar on a terminal, now and then a line elsewhere."""

    def __init__(self, module: Module, console: Console, progress: Progress | None) -> None:
        self._name = module.name
        self._console = console
        self._progress = progress
        self._task = (
            progress.add_task(module.name, total=None, doing="modules") if progress else None
        )
        self._total = 0
        self._done = 0
        self._said = self._started = time.monotonic()

    def expect(self, total: int) -> None:
        """Tell how many packages there are."""
        self._total = total
        if self._progress and self._task is not None:
            self._progress.update(self._task, total=total)

    def step(self, package: str) -> None:
        """Tell that a package is being compiled."""
        self._done += 1
        if self._progress and self._task is not None:
            self._progress.update(self._task, completed=self._done, doing=package[-50:])
            return
        if time.monotonic() - self._said >= _QUIET_SECONDS:
            self._said = time.monotonic()
            passed = self._said - self._started
            self._console.print(
                f"  {self._name}: {self._done}/{self._total} packages, {passed:.0f} s"
            )

    def finish(self) -> None:
        """Tell that the module is built."""
        if self._progress and self._task is not None:
            self._progress.update(self._task, total=1, completed=1, doing="built")
        passed = time.monotonic() - self._started
        self._console.print(f"  {self._name}: built in {passed:.0f} s")


@contextlib.contextmanager
def _shown(module: Module, console: Console) -> Iterator[_Bar]:
    if not console.is_terminal:
        bar = _Bar(module, console, None)
        yield bar
        bar.finish()
        return
    columns = (
        TextColumn("  {task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.fields[doing]}"),
    )
    with Progress(*columns, console=console, transient=True) as progress:
        bar = _Bar(module, console, progress)
        yield bar
        bar.finish()


def _joined(modules: list[Module]) -> Path:
    """Return a folder with hard links to the programs of all modules."""
    target = keyed("bin", *(module.cache.name.encode() for module in modules))
    with exclusive(target):
        if not target.exists():
            unfinished = target.with_name(target.name + ".unfinished")
            shutil.rmtree(unfinished, ignore_errors=True)
            unfinished.mkdir()
            for module in modules:
                folder = unfinished / module.track
                folder.mkdir(exist_ok=True)
                for program in module.cache.iterdir():
                    os.link(program, folder / program.name)
            unfinished.rename(target)
    return target

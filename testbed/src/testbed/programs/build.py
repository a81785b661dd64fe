"""Builds the cluster's programs into the cache, once."""

from __future__ import annotations

import contextlib
import os
import shutil
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from rich.console import Console

from testbed import fetching
from testbed.cache import keyed
from testbed.programs import compiler, progress
from testbed.programs import go as go_compiler
from testbed.programs.locks import exclusive
from testbed.programs.modules import NEWEST, Module
from testbed.programs.progress import Progress, span

_KUBECTL = "kubectl"
# Some packages keep one core busy for half a minute, while another module needs the others.
_SIDE_BY_SIDE = 2


class NotBuilt(Exception):
    """A program is not in the cache; the message says how to build it."""


def built(modules: Sequence[Module]) -> Path:
    """Return the folder that `programs` returns, for a test, whose time limit no build may take.

    Raises NotBuilt.
    """
    if missing := _missing(modules):
        raise NotBuilt(f"build this first: {_command(missing)}")
    return _joined(modules, print)


def programs(console: Console, modules: Sequence[Module]) -> Path:
    """Return a folder with the programs of the modules, building those not in the cache.

    The newest Kubernetes lies in the folder itself, beside what every cluster needs, and an older
    one in a folder of its track. A second process that calls this waits for the first.

    Raises BuildFailed, GoMissing and NotFetched.
    """
    if missing := _missing(modules):
        names = ", ".join(module.name for module in missing)
        fetching.check_outside_lab(f"the programs of {names} are", _command(missing))
        with contextlib.ExitStack() as locks:
            # Every process takes the locks in one order, so that no two wait for each other. What
            # takes longest comes first, so that a process that waits names it.
            for module in sorted(missing, key=lambda module: (module.track, module.cache))[::-1]:
                locks.enter_context(exclusive(module.cache, module.name, console.print))
            if left := _missing(missing):
                _build_all(left, console)
    return _joined(modules, console.print)


def _missing(modules: Sequence[Module]) -> list[Module]:
    return [module for module in modules if not module.cache.exists()]


def _command(modules: Sequence[Module]) -> str:
    """Return the command that builds these modules."""
    return " ".join(["python -m testbed programs", *(str(module.folder) for module in modules)])


def _build_all(modules: Sequence[Module], console: Console) -> None:
    began = time.monotonic()
    needed = max(module.go_version for module in modules)
    go = go_compiler.find_go(needed, console.print)
    names = ", ".join(module.name for module in modules)
    console.print(f"Building the cluster's programs, once: {names}")
    with ThreadPoolExecutor() as pool:
        packages = pool.map(lambda module: compiler.packages_of(module, go), modules)
        state = Progress(dict(zip(modules, packages, strict=True)))
    console.print(
        f"  {state.total} packages downloaded after {span(time.monotonic() - began)}; "
        f"compiling takes about {span(state.seconds_left(0))} on {os.cpu_count()} cores"
    )

    def build(module: Module) -> None:
        _build(module, go, state)
        console.print(f"  {module.name} is built after {span(time.monotonic() - began)}")

    first, *others = modules
    with progress.shown(state, console), ThreadPoolExecutor(_SIDE_BY_SIDE) as pool:
        # Two that begin together would both compile Go's own packages.
        build(first)
        try:
            list(pool.map(build, others))
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def _build(module: Module, go: str, state: Progress) -> None:
    unfinished = _emptied(module.cache)
    compiler.compile_module(module, go, unfinished, lambda package: state.started(module, package))
    unfinished.rename(module.cache)
    state.built(module)


def _joined(modules: Sequence[Module], say: Callable[[str], None]) -> Path:
    """Return a folder with hard links to the programs of all modules."""
    target = keyed("bin", *(module.cache.name.encode() for module in modules))
    with exclusive(target, "the same programs", say):
        if not target.exists():
            unfinished = _emptied(target)
            for module in modules:
                older = module.track if module.track != NEWEST else ""
                _link(module.cache, unfinished / older)
            _link_kubectl(unfinished)
            unfinished.rename(target)
    return target


def _link(programs: Path, folder: Path) -> None:
    folder.mkdir(exist_ok=True)
    for program in programs.iterdir():
        os.link(program, folder / program.name)


def _link_kubectl(folder: Path) -> None:
    """Give the operator an older kubectl where the newest is not there."""
    older = sorted(folder.glob(f"*/{_KUBECTL}"))
    if older and not (folder / _KUBECTL).exists():
        os.link(older[-1], folder / _KUBECTL)


def _emptied(target: Path) -> Path:
    """Return an empty folder that is to take the place of `target` once it is filled."""
    unfinished = target.with_name(target.name + ".unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(parents=True)
    return unfinished

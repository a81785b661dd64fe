"""A build says how many packages are done, of all modules, and how long the rest will take."""

from __future__ import annotations

import io
import time
from pathlib import Path

import pytest
from rich.console import Console

from testbed.programs import progress
from testbed.programs.compiler import Package
from testbed.programs.modules import Module
from testbed.programs.progress import Progress

MEGABYTE = 1_000_000


@pytest.fixture
def modules(tmp_path: Path) -> list[Module]:
    """Two modules with a program each."""
    for name in ("etcd", "cni"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "go.mod").write_text(f"module {name}\n\ngo 1.26.3\n")
    return [Module(tmp_path / "etcd"), Module(tmp_path / "cni")]


@pytest.fixture
def state(modules: list[Module]) -> Progress:
    fmt = Package("fmt", standard=True, size=MEGABYTE)
    grpc = Package("google.golang.org/grpc", standard=False, size=MEGABYTE)
    return Progress({modules[0]: [fmt, grpc], modules[1]: [fmt, grpc]})


def test_gos_own_packages_count_once_and_others_for_each_module(state: Progress) -> None:
    assert (state.done, state.total) == (0, 3)


def test_a_package_counts_when_its_compiling_begins(
    state: Progress, modules: list[Module]
) -> None:
    state.started(modules[0], "fmt")
    state.started(modules[0], "a line that names no package")
    state.started(modules[1], "fmt")
    assert state.done == 1


def test_what_a_built_module_did_not_have_to_compile_counts_too(
    state: Progress, modules: list[Module]
) -> None:
    state.built(modules[0])
    assert state.done == 2
    state.built(modules[1])
    assert state.done == state.total


def test_the_rest_takes_as_long_for_its_size_as_what_is_done(
    state: Progress, modules: list[Module]
) -> None:
    """A program's link counts as two megabytes: of seven, two are done after a minute."""
    state.started(modules[0], "fmt")
    state.started(modules[0], "google.golang.org/grpc")
    assert state.seconds_left(60) == pytest.approx(150)


@pytest.mark.parametrize(
    ("seconds", "text"), [(45.4, "45 s"), (60, "1 min 0 s"), (392, "6 min 32 s")]
)
def test_a_span_is_in_minutes_and_seconds(seconds: float, text: str) -> None:
    assert progress.span(seconds) == text


def test_without_a_terminal_a_line_comes_now_and_then(
    state: Progress, modules: list[Module]
) -> None:
    written = io.StringIO()
    state.started(modules[0], "fmt")
    with progress.shown(state, Console(file=written), line_seconds=0.01):
        time.sleep(0.2)
    first, *others = written.getvalue().splitlines()
    assert first.startswith("  1/3 packages, 0 s, about ")
    assert first.endswith(" left")
    assert others

"""Runs the Go compiler: what it will compile for a module, and the compiling."""

from __future__ import annotations

import collections
import os
import re
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from testbed.fetching import check_answered
from testbed.programs import go as go_compiler
from testbed.programs.modules import Module

_REPORTED_LINES = 15
_LISTED = '{{.ImportPath}}\t{{.Standard}}\t{{.Dir}}\t{{join .GoFiles "/"}}'


class BuildFailed(Exception):
    """A module did not build; the message holds the compiler's last lines."""


@dataclass(frozen=True)
class Package:
    """A Go package that a program is made of."""

    path: str
    standard: bool
    """Whether it is Go's own, and so is compiled once for all modules."""
    size: int
    """The bytes of its sources."""


def packages_of(module: Module, go: str) -> list[Package]:
    """Return what a module's programs are made of, and download it.

    Raises BuildFailed and NotFetched.
    """
    command = [go, "list", "-mod=readonly", f"-tags={module.tags}", "-deps", "-f", _LISTED]
    listing = subprocess.run(
        [*command, *module.packages],
        cwd=module.folder,
        env=go_compiler.environment(go, module.toolchain),
        capture_output=True,
        text=True,
        check=False,
    )
    if listing.returncode != 0:
        check_answered(f"the Go modules of {module.name}", listing.stderr)
        lines = listing.stderr.strip().splitlines()[-_REPORTED_LINES:]
        raise BuildFailed(f"downloading the modules of {module.name} failed:\n" + "\n".join(lines))
    return [_package(line) for line in listing.stdout.splitlines()]


def _package(line: str) -> Package:
    path, standard, folder, files = line.split("\t")
    size = sum((Path(folder) / name).stat().st_size for name in files.split("/") if name)
    return Package(path, standard == "true", size)


def compile_module(module: Module, go: str, target: Path, started: Callable[[str], None]) -> None:
    """Build a module's programs into the folder `target`.

    Calls `started` with each package whose compiling begins. Raises BuildFailed.
    """
    last_lines: collections.deque[str] = collections.deque(maxlen=_REPORTED_LINES)
    with subprocess.Popen(
        _build_command(module, go, target),
        cwd=module.folder,
        env=go_compiler.environment(go, module.toolchain),
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stderr is not None
        for line in process.stderr:
            last_lines.append(line.rstrip())
            started(line.strip())
    if process.returncode != 0:
        raise BuildFailed(f"building {module.name} failed:\n" + "\n".join(last_lines))
    for package in module.packages:
        (target / _go_name(module, package)).rename(target / module.output_name(package))


def _build_command(module: Module, go: str, target: Path) -> list[str]:
    output = f"{target}/{module.name}" if module.packages == ["."] else f"{target}{os.sep}"
    return [
        *(go, "build", "-v", "-trimpath", "-buildvcs=false", "-mod=readonly"),
        f"-tags={module.tags}",
        # The linker drops the debug information, so the compiler need not make it.
        "-gcflags=all=-dwarf=false",
        *("-ldflags", module.linker_flags, "-o", output),
        *module.packages,
    ]


def _go_name(module: Module, package: str) -> str:
    """Return the name that `go build` gives a program: a version at the end does not count."""
    return module.name if package == "." else re.sub(r"/v\d+$", "", package).rsplit("/", 1)[-1]

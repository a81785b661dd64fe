"""`python -m testbed`: the testbed's commands."""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from testbed import fetching, handle, paths
from testbed.cluster import requirements
from testbed.juju import manner
from testbed.programs import build, compiler, go, minors
from testbed.programs.modules import Module, all_modules, of_tracks
from testbed.realjuju import programs as realjuju

_GRACE_SECONDS = 5
"""Seconds that a command gets to end after Ctrl-C or SIGTERM, before it is killed."""

_HELP = {
    "setup": "check this machine and install the tools that the testbed needs",
    "programs": "build the cluster's programs into the cache, once, and print their folder;"
    " or those of the Go modules in FOLDERs",
    "run": "boot a lab, run a command as its operator, end the lab; exits as the command did",
    "up": "boot a lab that stays",
    "shell": "open the operator's shell in the lab that is up",
    "exec": "run a command as the operator of the lab that is up",
    "down": "end the lab that is up, or remove what a crashed one left",
}


def main(arguments: Sequence[str]) -> int:
    """Run one command; return its exit code."""
    options = _parser().parse_args(arguments)
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    try:
        return _COMMANDS[options.command](options, console)
    except (
        requirements.Unfit,
        handle.LabFailed,
        fetching.NotFetched,
        compiler.BuildFailed,
        go.GoMissing,
        ValueError,
    ) as error:
        console.print(f"testbed: {error}", markup=False, style="red")
        return 1


def _setup(options: argparse.Namespace, console: Console) -> int:
    requirements.check()
    requirements.install(console, realjuju.TOOLS if realjuju.chosen() else {})
    return 0


def _programs(options: argparse.Namespace, console: Console) -> int:
    modules = [Module(Path(folder).absolute()) for folder in options.folders]
    print(build.programs(console, modules) if modules else _built(console))
    return 0


def _run(options: argparse.Namespace, console: Console) -> int:
    where, programs = _prepare(options, console)
    signal.signal(signal.SIGTERM, _stop)
    started = time.monotonic()
    with handle.LabHandle(where, programs) as lab:
        console.print(f"The lab {where.name} is up after {time.monotonic() - started:.1f} s")
        return _foreground(lab.popen(_command(options)))


def _up(options: argparse.Namespace, console: Console) -> int:
    where, programs = _prepare(options, console)
    started = time.monotonic()
    handle.up(where, programs)
    console.print(f"The lab {where.name} is up after {time.monotonic() - started:.1f} s")
    return 0


def _shell(options: argparse.Namespace, console: Console) -> int:
    shell = [os.environ.get("SHELL") or "/bin/sh"]
    return _foreground(handle.popen(paths.chosen(), shell))


def _exec(options: argparse.Namespace, console: Console) -> int:
    return _foreground(handle.popen(paths.chosen(), _command(options)))


def _down(options: argparse.Namespace, console: Console) -> int:
    where = paths.chosen()
    was_up = handle.down(where)
    console.print(f"The lab {where.name} {'has ended' if was_up else 'was not up'}")
    return 0


_COMMANDS = {
    "setup": _setup,
    "programs": _programs,
    "run": _run,
    "up": _up,
    "shell": _shell,
    "exec": _exec,
    "down": _down,
}


def _prepare(options: argparse.Namespace, console: Console) -> tuple[paths.LabPaths, Path]:
    where = paths.chosen()
    if realjuju.chosen() is None:
        manner.chosen()
    _setup(options, console)
    return where, _built(console)


def _built(console: Console) -> Path:
    """Return the folder of the programs, for the versions of Kubernetes that are asked for."""
    tracks = os.environ.get("TESTBED_KUBERNETES", "").replace(",", " ").split()
    asked = [minors.module(track, console.print) for track in tracks if track in minors.PATCHES]
    return build.programs(console, of_tracks([*all_modules(), *asked], tracks))


def _command(options: argparse.Namespace) -> list[str]:
    words = options.words[1:] if options.words[:1] == ["--"] else options.words
    if not words:
        raise ValueError(
            f"{options.command} needs a command: python -m testbed {options.command} -- COMMAND…"
        )
    return words


def _foreground(process: subprocess.Popen[bytes]) -> int:
    """Wait for a command. After Ctrl-C, which it gets as well, give it a few seconds to end."""
    try:
        code = process.wait()
    except (KeyboardInterrupt, SystemExit):
        process.terminate()
        try:
            process.wait(_GRACE_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
        raise
    return code if code >= 0 else 128 - code


def _stop(number: int, frame: object) -> None:
    raise SystemExit(128 + number)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m testbed", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    for name, text in _HELP.items():
        command = commands.add_parser(name, help=text)
        if name in ("run", "exec"):
            command.add_argument("words", nargs=argparse.REMAINDER, metavar="-- COMMAND…")
        if name == "programs":
            command.add_argument("folders", nargs="*", metavar="FOLDER")
    return parser


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)

"""Fuzz the charm for some minutes: `make fuzz MINUTES=20 SEED=1`.

A seed repeats its inputs; only the keys of the newer `certificates` protocol are others in each
run. `--only NAME` runs the targets with NAME in theirs, and `--input N` only that input of each.
"""

from __future__ import annotations

import argparse
import logging
import shlex
import sys
import tempfile
import time

from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text
from tests.fuzz import functions, hooks, logins, rights
from tests.fuzz.runner import Finding, Run, counts, run

_LINE_SECONDS = 15


def main() -> int:
    """Fuzz, print what was found, and return 1 if anything was."""
    options = _options()
    # The root logger has what libraries say at these levels; the charm says nothing there.
    logging.disable(logging.INFO)
    # Without a handler, Python prints each warning of the functions in between.
    logging.getLogger().addHandler(logging.NullHandler())
    console = Console()
    runs = [
        Run(target, options.seed)
        for target in (*functions.TARGETS, *hooks.TARGETS, *logins.TARGETS, *rights.TARGETS)
        if options.only in target.name
    ]
    with tempfile.TemporaryDirectory(prefix="fuzz-") as tempfile.tempdir:
        if options.input:
            for each in runs:
                each.inputs = options.input - 1
                each.step()
        else:
            _run(console, runs, options.minutes * 60)
    found = [finding for each in runs for finding in each.findings.values()]
    for finding in found:
        _print(console, finding, options.seed)
    console.print(_table(runs))
    return 1 if found else 0


def _run(console: Console, runs: list[Run], seconds: float) -> None:
    """Run the targets, and show how far it is: in one line, or once in a while in another."""
    if any(each.target not in functions.TARGETS for each in runs):
        hooks.warm_up()
    start = shown = time.monotonic()

    def show(current: Run) -> None:
        nonlocal shown
        now = time.monotonic()
        line = (
            f"{_clock(now - start)} of {_clock(seconds)}, "
            f"{sum(r.inputs for r in runs):,} inputs, {counts['hooks']:,} hooks, "
            f"{sum(len(r.findings) for r in runs)} found, now {current.target.name}"
        )
        if console.is_terminal:
            live.update(Text(line), refresh=True)
        elif now - shown >= _LINE_SECONDS:
            shown = now
            console.print(line, highlight=False)

    with Live(console=console, auto_refresh=False, transient=True) as live:
        run(runs, seconds, show)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser("make fuzz", description=__doc__)
    parser.add_argument("--minutes", type=float, default=20)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", default="", metavar="NAME")
    parser.add_argument("--input", type=int, metavar="N")
    return parser.parse_args()


def _print(console: Console, finding: Finding, seed: int) -> None:
    console.rule(f"{finding.target}: {finding.signature}", align="left")
    name = shlex.quote(finding.target)
    again = f"scripts/check fuzz --seed {seed} --only {name} --input {finding.number}"
    lines = (f"{finding.count} times; again with: {again}", repr(finding.sample), finding.trace)
    for text in lines:
        shown = text if len(text) <= 4_000 else f"{text[:2_000]} … {text[-2_000:]}"
        shown = "".join(c if c.isprintable() or c == "\n" else "�" for c in shown)
        console.print(shown, markup=False, highlight=False, soft_wrap=True)


def _table(runs: list[Run]) -> Table:
    table = Table(
        "target", "inputs", "seconds", "a second", "found", title=f"{counts['hooks']:,} hooks"
    )
    for each in runs:
        speed = each.inputs / each.seconds if each.seconds else 0
        cells = (f"{each.inputs:,}", f"{each.seconds:.0f}", f"{speed:.0f}", len(each.findings))
        table.add_row(each.target.name, *map(str, cells))
    return table


def _clock(seconds: float) -> str:
    return f"{int(seconds) // 60}:{int(seconds) % 60:02}"


if __name__ == "__main__":
    sys.exit(main())

"""Take one step of the page: run it, show it, and compare it with what the page says."""

from __future__ import annotations

import os
import subprocess
import time

import jubilant
from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from demo import keys
from demo.page import Step, Wait

# On a slow machine, a unit may wait for its next update-status, five minutes after the last.
WAIT_SECONDS = 360.0
# A command that takes longer hangs.
COMMAND_SECONDS = 120.0
SHOWN_LINES = 12
SHOWN_COLUMNS = 160
_COLOURS = {"active": "green", "blocked": "red", "error": "red"}


def take(step: Step | Wait, console: Console) -> str | None:
    """Take the step, and return what was wrong, or None."""
    return _wait(console) if isinstance(step, Wait) else _run(step, console)


def _run(step: Step, console: Console) -> str | None:
    console.print(Text("$ " + step.command.rstrip(), style="yellow"))
    deadline = time.monotonic() + step.retry_seconds
    while True:
        code, output = _shell(step)
        problem = _difference(step, code, output)
        if not problem or time.monotonic() > deadline:
            break
        time.sleep(0.5)
    if output.strip():
        console.print(Text(_shortened(output)))
    return problem


def _shell(step: Step) -> tuple[int | str, str]:
    """Return the exit code and the output; a text in place of the code if it took too long."""
    try:
        done = subprocess.run(
            ["/bin/bash", "-o", "pipefail", "-c", step.command],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={**os.environ, **keys.environment(step.user, step.secret)},
            timeout=COMMAND_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return f"no code after {COMMAND_SECONDS:.0f} s", ""
    return done.returncode, done.stdout


def _difference(step: Step, code: int | str, output: str) -> str | None:
    if code != step.code:
        return f"it exited with {code}, not {step.code}\n{_shortened(output)}"
    if step.shows not in output:
        return f"its output does not contain {step.shows!r}"
    return None


def _shortened(output: str) -> str:
    lines = [_cut(line) for line in output.rstrip().splitlines()]
    if len(lines) <= SHOWN_LINES:
        return "\n".join(lines)
    return "\n".join([f"… {len(lines) - SHOWN_LINES} lines …", *lines[-SHOWN_LINES:]])


def _cut(line: str) -> str:
    return line if len(line) <= SHOWN_COLUMNS else line[:SHOWN_COLUMNS] + "…"


def _wait(console: Console) -> str | None:
    juju = jubilant.Juju()
    deadline = time.monotonic() + WAIT_SECONDS
    ready = 0
    with Live(console=console, refresh_per_second=4, transient=False) as live:
        while time.monotonic() < deadline:
            status = juju.status()
            live.update(_table(status))
            if jubilant.any_error(status):
                return "a unit is in error, see juju debug-log"
            ready = ready + 1 if _is_ready(status) else 0
            if ready == 2:
                return None
            time.sleep(0.5)
    return f"still not so after {WAIT_SECONDS:.0f} s, see juju status"


def _is_ready(status: jubilant.Status) -> bool:
    is_settled = bool(status.apps) and jubilant.all_agents_idle(status)
    return is_settled and jubilant.all_active(status)


def _table(status: jubilant.Status) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0))
    for heading in ("unit", "workload", "agent", "message"):
        table.add_column(heading, style="dim" if heading == "agent" else None)
    for app in status.apps:
        for name, unit in sorted(status.get_units(app).items()):
            workload = unit.workload_status.current
            colour = _COLOURS.get(workload, "yellow")
            table.add_row(
                name,
                Text(workload, style=colour),
                unit.juju_status.current,
                unit.workload_status.message,
            )
    return table

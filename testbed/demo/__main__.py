"""``python -m testbed.demo``: walk through the page, showing every command and its output.

Runs on the client machine of a testbed (``make demo``). Exits 0 if every expectation held,
1 with the step that failed, 2 for settings that there are not.
"""

from __future__ import annotations

import os
import sys
import time
from typing import get_args

from rich.console import Console
from rich.panel import Panel

from testbed.demo import page, walk


def main() -> int:
    """The walk that the environment variables CONTROL_PLANE and CA ask for."""
    console = Console(highlight=False, soft_wrap=True)
    control_plane = os.environ.get("CONTROL_PLANE", "1.28")
    authority = os.environ.get("CA", "easyrsa")
    for name, value, known in (
        ("CONTROL_PLANE", control_plane, get_args(page.ControlPlane)),
        ("CA", authority, get_args(page.Authority)),
    ):
        if value not in known:
            console.print(f"{name}={value} is unknown, use one of: {', '.join(known)}")
            return 2
    started = time.monotonic()
    walked = page.steps(control_plane, authority)  # pyright: ignore[reportArgumentType]
    for number, step in enumerate(walked, start=1):
        console.print(f"\n[bold cyan]{number}/{len(walked)}[/] [bold]{step.title}[/]")
        problem = walk.take(step, console)
        if problem:
            console.print(Panel(problem, title=f"failed: {step.title}", style="red"))
            return 1
    took = time.monotonic() - started
    console.print(f"\n[bold green]✓[/] all {len(walked)} steps went as the page says ({took:.0f} s)")
    return 0


if __name__ == "__main__":
    sys.exit(main())

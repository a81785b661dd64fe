"""``python -m testbed.demo``: walk through the page, showing every command and its output.

Runs on the client machine of a testbed (``make demo``). Exits 0 if every expectation held,
1 with the step that failed.
"""

from __future__ import annotations

import argparse
import sys
import time
from typing import get_args

from rich.console import Console
from rich.panel import Panel

from testbed.demo import page, walk


def main() -> int:
    """Take the walk that the arguments ask for."""
    parser = argparse.ArgumentParser(prog="python -m testbed.demo")
    parser.add_argument("--control-plane", choices=get_args(page.ControlPlane), default="1.28")
    parser.add_argument("--authority", choices=get_args(page.Authority), default="easyrsa")
    arguments = parser.parse_args()
    console = Console(highlight=False, soft_wrap=True)
    started = time.monotonic()
    walked = page.steps(arguments.control_plane, arguments.authority)
    for number, step in enumerate(walked, start=1):
        console.print(f"\n[bold cyan]{number}/{len(walked)}[/] [bold]{step.title}[/]")
        problem = walk.take(step, console)
        if problem:
            console.print(Panel(problem, title=f"failed: {step.title}", style="red"))
            return 1
    took = time.monotonic() - started
    console.print(
        f"\n[bold green]✓[/] all {len(walked)} steps went as the page says ({took:.0f} s)"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())

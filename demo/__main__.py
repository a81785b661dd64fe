"""``python -m demo``: take the page's steps, and show every command and its output.

Runs in a lab (``make demo``). Exits with 0 if every step went as the page says, and with 1 at the
first that did not.
"""

from __future__ import annotations

import argparse
import re
import sys
import time
from pathlib import Path
from typing import get_args

from rich.console import Console
from rich.panel import Panel

from demo import page, walk

PICTURE_STARTS = "Declare who may log in, and what they may do"
PICTURE_ENDS = "Ask why, and how to let that person in"
PICTURE_COLUMNS = 100


def main() -> int:
    """Take the steps that the arguments choose, and return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m demo")
    parser.add_argument("--control-plane", choices=get_args(page.ControlPlane), default="1.29")
    parser.add_argument("--authority", choices=get_args(page.Authority), default="easyrsa")
    parser.add_argument("--picture", metavar="FILE", help="write an SVG of a login and a refusal")
    arguments = parser.parse_args()
    drawn = bool(arguments.picture)
    # A picture cuts off what stands beyond its edge.
    width = PICTURE_COLUMNS if drawn else None
    console = Console(highlight=False, soft_wrap=not drawn, record=drawn, width=width)
    started = time.monotonic()
    steps = page.steps(arguments.control_plane, arguments.authority)
    for number, step in enumerate(steps, start=1):
        if arguments.picture and step.title == PICTURE_STARTS:
            console.export_text(clear=True)
        console.print(f"\n[bold cyan]{number}/{len(steps)}[/] [bold]{step.title}[/]")
        problem = walk.take(step, console)
        if problem:
            console.print(Panel(problem, title=f"failed: {step.title}", style="red"))
            return 1
        if arguments.picture and step.title == PICTURE_ENDS:
            _save(console.export_svg(title="make demo"), Path(arguments.picture))
    took = time.monotonic() - started
    console.print(
        f"\n[bold green]✓[/] all {len(steps)} steps went as the page says ({took:.0f} s)"
    )
    return 0


def _save(picture: str, file: Path) -> None:
    """Write the picture without its web fonts, so that readers download nothing from elsewhere."""
    file.write_text(re.sub(r"@font-face \{.*?\}\s*", "", picture, flags=re.DOTALL))


if __name__ == "__main__":
    sys.exit(main())

"""The commands and statuses that a page of docs/how-to shows its readers."""

from __future__ import annotations

import re
import textwrap
from pathlib import Path

_FOLDER = Path(__file__).parents[3] / "docs/how-to"


def shown(page: str, heading: str) -> list[str]:
    """Return the indented lines below a heading: commands, and what comes of them.

    Raises:
        AssertionError: the page has no such heading.
    """
    lines = _below(page, heading).splitlines()
    return [line.strip() for line in lines if line.startswith("    ")]


def blocks(page: str, heading: str) -> list[str]:
    """Return the blocks of indented lines below a heading: commands, files, and what is printed.

    Raises:
        AssertionError: the page has no such heading.
    """
    found = re.findall(r"(?:^    .*\n)+", _below(page, heading), re.MULTILINE)
    return [textwrap.dedent(block) for block in found]


def _below(page: str, heading: str) -> str:
    text = (_FOLDER / page).read_text()
    below = rf"^#+ {re.escape(heading)}\n(.*?)(?=^#|\Z)"
    found = re.search(below, text, re.MULTILINE | re.DOTALL)
    assert found, f"{page} has no heading {heading!r}"
    return found[1]

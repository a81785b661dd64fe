"""The commands and statuses that a page of docs/how-to shows its readers."""

from __future__ import annotations

import re
from pathlib import Path

_FOLDER = Path(__file__).parents[3] / "docs/how-to"


def shown(page: str, heading: str) -> list[str]:
    """Return the indented lines below a heading: commands, and what comes of them.

    Raises:
        AssertionError: the page has no such heading.
    """
    text = (_FOLDER / page).read_text()
    below = rf"^#+ {re.escape(heading)}\n(.*?)(?=^#|\Z)"
    found = re.search(below, text, re.MULTILINE | re.DOTALL)
    assert found, f"{page} has no heading {heading!r}"
    return [line.strip() for line in found[1].splitlines() if line.startswith("    ")]

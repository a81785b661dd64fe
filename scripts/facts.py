"""List what the pages say of AWS, Go, Juju and Kubernetes, with the date it was looked up.

    make facts                  # what nobody has looked up for half a year
    make facts ARGS=--days=0    # all of it

docs/facts.yaml has them, by the page and the heading.
"""

from __future__ import annotations

import argparse
import datetime
import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

FILE = Path(__file__).resolve().parent.parent / "docs/facts.yaml"
HALF_A_YEAR = 183
FACT = re.compile(r"(\d{4}-\d{2}-\d{2}) (https://\S+) (\S.*)")


@dataclass(frozen=True)
class Fact:
    """A fact that a page states.

    Attributes:
        place: The page, below docs/, and the anchor of the heading, behind a `#`.
        day: When somebody looked it up.
        source: Where.
        about: What it is about.
    """

    place: str
    day: datetime.date
    source: str
    about: str


def facts() -> Iterator[Fact]:
    """Yield the facts of all pages. Raise ValueError for one of another form."""
    for place, lines in yaml.safe_load(FILE.read_text()).items():
        for line in lines:
            found = FACT.fullmatch(line)
            if not found:
                raise ValueError(f"{place}: write YYYY-MM-DD https://SOURCE ABOUT, not {line}")
            yield Fact(place, datetime.date.fromisoformat(found[1]), found[2], found[3])


def older(found: Sequence[Fact], today: datetime.date, days: int) -> list[Fact]:
    """Return the facts that were looked up so many days ago or earlier, the oldest first."""
    return sorted(
        (fact for fact in found if (today - fact.day).days >= days), key=lambda fact: fact.day
    )


def main(arguments: Sequence[str]) -> int:
    """List facts; return the exit code, which is 1 if there are any."""
    parser = argparse.ArgumentParser(description="List facts that nobody has looked up lately.")
    parser.add_argument("--days", type=int, default=HALF_A_YEAR, help="how old they are at least")
    options = parser.parse_args(arguments)
    today = datetime.datetime.now(datetime.timezone.utc).date()
    found = older([*facts()], today, options.days)
    for fact in found:
        print(f"{fact.day} {fact.place}: {fact.about}: {fact.source}")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

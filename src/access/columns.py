# SPDX-License-Identifier: Apache-2.0

"""Tables for people, in pages of bounded size. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from text import cut, one_line

# A wider cell makes only its own row longer.
_WIDTH = 70
# No cell takes the place of those behind it.
_MOST_OF_CELL = 2_000


def tables(
    titles: Sequence[str], always: Collection[str], rows: Iterable[Sequence[str]], limit: int
) -> list[str]:
    """Return the table in pages of at most ``limit`` bytes; at least one.

    All pages have the same columns. A column that is not among those ``always`` shown is left out
    if it has no value.
    """
    cells = [_cells(titles, row) for row in rows]
    shown = [title for title in titles if title in always or any(row[title] for row in cells)]
    widths = {
        title: min(max(len(title), *(len(row[title]) for row in cells), 0), _WIDTH)
        for title in shown
    }
    header = _line({title: title for title in shown}, widths)
    lines = (cut(_line(row, widths), limit - len(header) - 1) for row in cells)
    return ["\n".join([header, *page]) for page in pages(lines, limit - len(header))]


def _cells(titles: Sequence[str], row: Sequence[str]) -> dict[str, str]:
    values = (cut(one_line(value), _MOST_OF_CELL) for value in row)
    return dict(zip(titles, values, strict=True))


def _line(cells: Mapping[str, str], widths: Mapping[str, int]) -> str:
    # Juju shows a text in lines only if none of them ends with a space.
    padded = ((cells[title] or "-").ljust(width) for title, width in widths.items())
    return "  ".join(padded).rstrip()


def pages(items: Iterable[str], limit: int) -> Iterator[list[str]]:
    """Yield the items in lists, each of at most ``limit`` bytes with one byte before each item."""
    page, size = list[str](), 0
    for item in items:
        needed = len(item.encode()) + 1
        if page and size + needed > limit:
            yield page
            page, size = [], 0
        page.append(item)
        size += needed
    yield page

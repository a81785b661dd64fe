# SPDX-License-Identifier: Apache-2.0

"""A text of the catalogue. Pure."""

from __future__ import annotations

from typing import NamedTuple


class Text(NamedTuple):
    """A text, in which ``{fields}`` stand for what differs. Call it with them.

    Attributes:
        text: The text.
        means: What it tells the operator.
        do: What the operator does about it.
        shown: The text as the docs show it, where the names of the fields do not tell enough.
    """

    text: str
    means: str
    do: str
    shown: str = ""

    def __call__(self, **fields: object) -> str:
        """Return the text with its fields filled in."""
        return self.text.format(**fields)

# SPDX-License-Identifier: Apache-2.0

"""Access that ends: which mappings have ended, which end when, and what is remembered. Pure."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import times
from access.mapping import IdentityMapping, name_of
from statuses import mapping as texts

if TYPE_CHECKING:
    from access.declaration.declared import Declared

# How long the charm remembers an ended access, and how many of them: a databag holds them.
REMEMBERED = timedelta(days=1)
MOST_REMEMBERED = 100


def mismatch(annotation: str) -> str | None:
    """Return why a mapping with this annotation never ends; None if it ends, or is empty."""
    try:
        if annotation:
            times.parse(annotation)
    except ValueError as error:
        return texts.EXPIRY_INVALID(problem=error)
    return None


def end(mapping: IdentityMapping, declared: Declared) -> datetime | None:
    """Return when the access of ``mapping`` ends; None if it never does.

    A mapping that a good option declares ends when the option says, whatever a hand wrote. Every
    other ends when its annotation says, if that is a time.
    """
    entry = None if declared.faults else declared.of(mapping.principal)
    is_declared = entry and mapping.name == name_of(mapping.principal)
    text = entry.expires if entry and is_declared else mapping.expires
    try:
        return times.parse(text) if text else None
    except ValueError:
        return None


def ended(
    mappings: Iterable[IdentityMapping], declared: Declared, now: datetime
) -> dict[str, datetime]:
    """Return the ``mappings`` whose access is over at ``now``: by name, when it ended."""
    ends = {each.name: end(each, declared) for each in mappings}
    return {name: moment for name, moment in ends.items() if moment and moment <= now}


@dataclasses.dataclass(frozen=True)
class Ended:
    """An access that the charm has ended."""

    name: str  # The mapping's name.
    arn: str  # The principal, as the mapping spelt it.
    at: str  # When the mapping was to end, as `times.shown` says it.
    deleted: str  # When it was deleted, as `times.shown` says it.
    source: str = ""  # Which part of the charm made the mapping; empty if a person did.


def remembered(ended: Iterable[Ended], now: datetime) -> tuple[Ended, ...]:
    """Return which of ``ended`` to remember at ``now``: the newest ones of the last day.

    What the charm made goes before what people made: whoever may write mappings could push the
    others out.
    """
    since = times.shown(now - REMEMBERED)
    recent = [each for each in ended if each.deleted > since]
    ranked = sorted(recent, key=lambda each: each.source != "")[-MOST_REMEMBERED:]
    return tuple(sorted(ranked, key=lambda each: each.deleted))


def dump(ended: Iterable[Ended]) -> str:
    """Return ``ended`` as a text for a databag; the empty text if there are none."""
    rows = [dataclasses.astuple(each) for each in ended]
    return json.dumps(rows, separators=(",", ":")) if rows else ""


def load(text: str) -> tuple[Ended, ...]:
    """Return what is in a ``text`` that `dump` made, and nothing for any other text."""
    try:
        rows: Any = json.loads(text)
        return tuple(Ended(*map(str, row)) for row in rows)
    except (ValueError, TypeError, RecursionError):
        return ()

# SPDX-License-Identifier: Apache-2.0

"""Access that ends: which mappings have ended, which ends next, and what is remembered. Pure."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

import times
from access.mapping import IdentityMapping
from statuses import mapping as texts

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


def end(mapping: IdentityMapping) -> datetime | None:
    """Return when the access of ``mapping`` ends; None without an annotation that is a time."""
    if not mapping.expires:
        return None
    try:
        return times.parse(mapping.expires)
    except ValueError:
        return None


def has_ended(mapping: IdentityMapping, now: datetime) -> bool:
    """Return whether the access of ``mapping`` is over at ``now``."""
    moment = end(mapping)
    return moment is not None and moment <= now


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

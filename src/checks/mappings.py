# SPDX-License-Identifier: Apache-2.0

"""Step 7: the mappings: how many, and which need somebody's attention."""

from __future__ import annotations

import datetime
from collections.abc import Sequence

import times
from access import expiry, validity
from access.mapping import IdentityMapping
from checks import Names, Outcome, Site, failed, not_checked, ok
from text import counted, first, one_line

# How many of them are named.
_MOST = 3
SOON = datetime.timedelta(days=1)


def check(site: Site, found: Sequence[IdentityMapping] | None) -> Outcome:
    """Return what came of the step; ``found`` is None if the cluster does not serve the CRD."""
    if found is None:
        return not_checked("the cluster has no CRD for mappings, see step 2")
    return verdict(found, site.partition, times.now(), site.names)


def verdict(
    found: Sequence[IdentityMapping], partition: str, now: datetime.datetime, names: Names
) -> Outcome:
    """Return whether every mapping lets its principal in, and which end within a day."""
    problems = validity.check(found, partition).problems
    ends = sorted((end, each.name) for each in found if (end := expiry.end(each)))
    over = [name for end, name in ends if end <= now]
    soon = [f"{name} at {times.shown(end)}" for end, name in ends if now < end <= now + SOON]
    parts = [counted(len(found), "mapping")]
    if soon:
        parts.append(f"{len(soon)} ending within a day: {_some(soon)}")
    if over:
        seen = ", ".join([*parts, f"{len(over)} ended and still there: {_some(over)}"])
        return failed(seen, names.reconcile)
    if problems:
        wrong = [f"{name}: {text}" for name, text in problems.items()]
        parts.append(f"{counted(len(wrong), 'broken mapping')}: {_some(wrong)}")
        return failed(
            ", ".join(parts), f"see all: juju run {names.application}/leader list-mappings"
        )
    if late := sorted(each.name for each in found if each.canonical != each.principal):
        parts.append(f"{len(late)} not effective yet: {_some(late)}")
        return failed(", ".join(parts), names.reconcile)
    if not found:
        return ok("no mappings, so nobody can log in yet")
    return ok(", ".join([*parts, "all of them work"]))


def _some(texts: Sequence[str]) -> str:
    return "; ".join(map(one_line, first(texts, _MOST)))

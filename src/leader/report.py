# SPDX-License-Identifier: Apache-2.0

"""What the leader says of the mappings, in its status and in the log."""

from __future__ import annotations

from access.mappings import MappingReport
from cluster.pods import Rollout
from config import Config
from statuses import active

# How many entries of the option `mappings` the log names.
MOST_LOGGED = 20


def line(config: Config, rollout: Rollout, report: MappingReport, *remarks: str) -> str:
    """Return the line of an active status: what is served, and ``remarks`` that are not empty."""
    parts = [
        active.AUTHENTICATOR(version=config.version),
        active.PODS(ready=rollout.ready, wanted=rollout.wanted),
        _count(report),
    ]
    if report.rights_pending:
        parts.append(active.RIGHTS_PENDING(pending=f"{report.rights_pending:,}"))
    if report.problems:
        name, problem = next(iter(report.problems.items()))
        number = len(report.problems)
        parts.append(active.TO_CORRECT(number=number, mapping=name, problem=problem))
    if report.not_applied:
        place, reason = next(iter(report.not_applied.items()))
        number = len(report.not_applied)
        parts.append(active.NOT_APPLIED(number=number, place=place, reason=reason))
    if report.left_out:
        first = report.left_out[0]
        number = len(report.left_out)
        parts.append(active.LEFT_OUT(number=number, place=first.place, reason=first.reason))
    return ", ".join([*parts, *filter(None, remarks)])


def remarks(report: MappingReport) -> str:
    """Return for the log what keeps the option `mappings` from its whole effect: the parts
    without any, and duplicates of what it declares. Return the empty text if there is nothing."""
    lines = [f"duplicate {name}: {report.problems[name]}" for name in sorted(report.duplicates)]
    lines += [f"{place} is not applied: {reason}" for place, reason in report.not_applied.items()]
    lines += [f"{out.place} is left out: {out.reason}" for out in report.left_out]
    shown = [f"option mappings: {line}" for line in lines[:MOST_LOGGED]]
    if len(lines) > MOST_LOGGED:
        shown.append(f"option mappings: and {len(lines) - MOST_LOGGED:,} more")
    return "\n".join(shown)


def _count(report: MappingReport) -> str:
    total = f"{report.total:,} mapping{'' if report.total == 1 else 's'}"
    if report.pending > report.total:
        # The option has become empty, and leaves more to delete than there is left of others.
        return active.NOT_DELETED(mappings=total, former=f"{report.pending:,}")
    if report.pending:
        return active.NOT_EFFECTIVE(pending=f"{report.pending:,}", mappings=total)
    return active.MAPPINGS(mappings=total)

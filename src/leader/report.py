# SPDX-License-Identifier: Apache-2.0

"""What the leader says of access, in its status and in the log."""

from __future__ import annotations

from cluster.pods import Rollout
from config import Config
from leader.access import Report
from statuses import active
from text import counted, first

# How many entries of the option `mappings` the log names.
MOST_LOGGED = 20


def line(rollout: Rollout, report: Report, *remarks: str) -> str:
    """Return the line of an active status: what serves, and then what a person can act on.

    ``remarks`` may be empty. A broken mapping is the last: it may have a command, which people
    copy to the end of the line.
    """
    parts = [active.PODS(ready=rollout.ready, wanted=rollout.wanted), _count(report)]
    if report.bindings:
        parts.append(active.RIGHTS_PENDING(bindings=counted(report.bindings, "role binding")))
    if report.not_applied:
        place, reason = next(iter(report.not_applied.items()))
        number = len(report.not_applied)
        parts.append(active.NOT_APPLIED(number=number, place=place, reason=reason))
    parts += filter(None, remarks)
    if report.problems:
        name, problem = next(iter(report.problems.items()))
        broken = counted(len(report.problems), "broken mapping")
        parts.append(active.TO_CORRECT(broken=broken, mapping=name, problem=problem))
    return ", ".join(parts)


def remarks(config: Config, report: Report) -> str:
    """Return for the log what keeps the option `mappings` from its whole effect: the parts
    without any, and duplicates of what it declares. Return the empty text if there is nothing."""
    lines = [f"duplicate {name}: {report.problems[name]}" for name in sorted(report.duplicates)]
    lines += [f"{place} is not applied: {reason}" for place, reason in report.not_applied.items()]
    lines += [f"left out: {out}" for out in config.declared.left_out]
    return "\n".join(f"option mappings: {line}" for line in first(lines, MOST_LOGGED))


def _count(report: Report) -> str:
    there = {each.name for each in report.result.after.mappings}
    if report.former:
        # The option no longer declares these.
        mappings = counted(len(there), "mapping")
        return active.NOT_DELETED(mappings=mappings, former=len(report.former))
    shown = counted(len(report.pending | there), "mapping")
    if report.pending:
        return active.NOT_EFFECTIVE(pending=len(report.pending), mappings=shown)
    return shown

# SPDX-License-Identifier: Apache-2.0

"""The leader's step that records on which day each principal was last let in.

The pods' logs end with the pods, and a kubelet keeps 10 MiB of each. So the leader looks at them
once an hour, and writes a principal's day once a day at most.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import date, timedelta
from typing import TYPE_CHECKING

import times
from access import logins
from access.logins import Login, Record
from cluster import api, login_record, pod_logs
from cluster.errors import errors_as_status
from errors import Unready
from owner import Owner

if TYPE_CHECKING:
    from juju.looks import Looks
    from leader.access import Report

logger = logging.getLogger(__name__)

EVERY = timedelta(hours=1)
# A look reads what was logged since the last one that worked, and a little before that, because
# the clocks of machines differ. After failures it reads this much at most.
OVERLAP = timedelta(hours=1)
LONGEST = timedelta(days=1)
# Whoever has to be let in comes first: without this much time left, the next hook looks.
NEEDED_SECONDS = 10.0
# After how long somebody is asked whether a mapping is still needed.
UNUSED = timedelta(days=90)


def look(
    client: api.Client, owner: Owner, looks: Looks, pods: Sequence[str], report: Report
) -> tuple[int, int]:
    """Record whom the pods ``pods`` let in, if the last try was an hour ago.

    Return how many mappings were unused at the last look, and how many administrators of these.
    Nobody's access depends on it, so a look that fails is no problem of the unit.
    """
    if pods and client.seconds_left >= NEEDED_SECONDS and looks.is_due(EVERY):
        looks.note_try()
        try:
            with errors_as_status():
                _look(client, owner, looks, pods, report)
        except Unready as problem:
            logger.warning("cannot record last logins: %s", problem)
    return looks.unused


def _look(
    client: api.Client, owner: Owner, looks: Looks, pods: Sequence[str], report: Report
) -> None:
    """Record whom the pods let in since the last look that recorded all of them."""
    now = times.now()
    since = min(now - looks.last + OVERLAP, LONGEST) if looks.last else LONGEST
    log = pod_logs.read(client, int(since.total_seconds()), pod_logs.SECONDS, *pods)
    # Any login counts, also one from before another pod's log begins.
    record = _record(client, owner, logins.parse(log.lines, log.since, log.end))
    if record:
        looks.count(*_unused(report, record, now.date()))
    # What a node did not hand out now, the next look reads.
    if not log.more:
        looks.note(log.end)


def _record(client: api.Client, owner: Owner, found: Sequence[Login]) -> Record | None:
    """Return the record with ``found`` in it; None if its ConfigMap is a person's."""
    stored = login_record.read(client)
    if stored is None:
        return None
    new = logins.updated(stored, found, times.now().date())
    if new != stored:
        login_record.write(client, owner, new)
    return new


def _unused(report: Report, record: Record, today: date) -> tuple[int, int]:
    """Return how many mappings let nobody in for `UNUSED`, and how many administrators of these. A
    record that is younger than that knows of none."""
    since = today - UNUSED
    if not record.since or record.since > since:
        return 0, 0
    unused = {each.name for each in report.mappings if logins.is_unused(each, record, since)}
    return len(unused), sum(each.name in unused for each in report.administrators)

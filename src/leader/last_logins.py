# SPDX-License-Identifier: Apache-2.0

"""The leader's step that records on which day each principal was last let in.

The pods' logs end with the pods, and a kubelet keeps 10 MiB of each. So the leader looks at them
once an hour, and writes a principal's day once a day at most. The days of which it missed a part
are recorded too.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime, time, timedelta, timezone
from typing import TYPE_CHECKING

import times
from access import logins
from access.logins import Record
from cluster import api, login_record, pod_logs
from cluster.errors import errors_as_status
from errors import Unready
from owner import Owner

if TYPE_CHECKING:
    from memory import Memory

logger = logging.getLogger(__name__)

EVERY = timedelta(hours=1)
# A look reads what was logged since the last one that worked, and a little before that, because
# the clocks of machines differ.
OVERLAP = timedelta(hours=1)
# Whoever has to be let in comes first: without this much time left, the next hook looks.
NEEDED_SECONDS = 10.0


def look(client: api.Client, owner: Owner, memory: Memory, pods: Sequence[str]) -> None:
    """Record whom the pods ``pods`` let in, if the last try was an hour ago.

    Nobody's access depends on it, so a look that fails is no problem of the unit.
    """
    tried, now = _past(memory.tried), times.now()
    if not pods or client.seconds_left < NEEDED_SECONDS or (tried and now - tried < EVERY):
        return
    # Whether it works does not matter: each hook would ask a failing API again.
    memory.tried = now.timestamp()
    try:
        with errors_as_status():
            _look(client, owner, memory, pods)
    except Unready as problem:
        logger.warning("cannot record last logins: %s", problem)


def _past(seconds: float | None) -> datetime | None:
    """Return a time that is remembered; None without one, or for one in the future."""
    at = None if seconds is None else datetime.fromtimestamp(seconds, timezone.utc)
    return at if at and at <= times.now() else None


def _look(client: api.Client, owner: Owner, memory: Memory, pods: Sequence[str]) -> None:
    """Record whom the pods let in since the last look that recorded all of them."""
    stored = login_record.read(client)
    if stored is None:
        # Somebody else's ConfigMap has the record's name.
        return
    now = times.now()
    needed = _needed(stored, _past(memory.recorded), now)
    since = int((now - needed + OVERLAP).total_seconds())
    log = pod_logs.read(client, since, pod_logs.SECONDS, *pods)
    # Any login counts, also one from before another pod's log begins.
    new = logins.updated(stored, logins.parse(log.lines, log.since, log.end))
    # What a node did not hand out now, the next look reads.
    if not log.more:
        new = logins.extended(new, pods, needed, log.begin, log.end)
    if new != stored:
        login_record.write(client, owner, stored, new)
    if not log.more:
        memory.recorded = log.end.timestamp()


def _needed(record: Record, last: datetime | None, now: datetime) -> datetime:
    """Return since when logins have yet to be recorded: since the ``last`` look of this unit, or
    the one that the record has. Without a record, look as far back as the logs may go."""
    if last and record.until and last.date() == record.until.date():
        return last
    earliest = now - times.LONGEST
    if record.until:
        return min(max(record.until, earliest), now)
    since = record.since
    return max(datetime.combine(since, time(), timezone.utc), earliest) if since else earliest

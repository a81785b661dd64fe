# Copyright 2026 Canonical Ltd.
# See LICENSE file for licensing details.

"""The leader's step that records on which day each principal was last let in.

The pods' logs end with the pods, and a kubelet keeps 10 MiB of each. So the leader looks at them
once an hour, and writes a principal's day once a day at most.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import times
from access import logins, mappings
from access.logins import Login, Record
from access.mappings import MappingReport
from cluster import api, login_record, pod_logs
from cluster.errors import errors_as_status
from errors import Unready
from owner import Owner

if TYPE_CHECKING:
    from juju.looks import Looks

logger = logging.getLogger(__name__)

EVERY = timedelta(hours=1)
# The looks overlap, because a hook may come late.
WINDOW = timedelta(hours=2)
# Whoever has to be let in comes first: without this much time left, the next hook looks.
NEEDED_SECONDS = 10.0


def look(
    client: api.Client, owner: Owner, looks: Looks, pods: Sequence[str], report: MappingReport
) -> MappingReport:
    """Record whom the pods ``pods`` let in, if the last look was an hour ago.

    Return ``report`` with how many mappings were unused at the last look. Nobody's access depends
    on it, so a look that fails is no problem of the unit.
    """
    if pods and client.seconds_left >= NEEDED_SECONDS and looks.is_due(EVERY):
        log = pod_logs.read(client, int(WINDOW.total_seconds()), pod_logs.SECONDS, *pods)
        looks.note(log.end)
        found = logins.parse(log.lines, log.begin, log.end)
        try:
            with errors_as_status():
                if record := _record(client, owner, found):
                    looks.count(*mappings.count_unused(report.after, record, times.now().date()))
        except Unready as problem:
            logger.warning("the days of logins are not recorded: %s", problem)
    unused, administrators = looks.unused
    return replace(report, unused=unused, unused_administrators=administrators)


def _record(client: api.Client, owner: Owner, found: Sequence[Login]) -> Record | None:
    """Return the record with ``found`` in it; None if its ConfigMap is a person's."""
    stored = login_record.read(client)
    if stored is None:
        return None
    new = logins.updated(stored, found, times.now().date())
    if new != stored:
        login_record.write(client, owner, new)
    return new

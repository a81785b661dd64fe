# SPDX-License-Identifier: Apache-2.0

"""The record of who was last let in on which day: a ConfigMap, which outlives pods and leaders.

Call every function inside `errors_as_status`.
"""

from __future__ import annotations

from access import logins
from access.logins import NO_RECORD, Record
from cluster import api, manifests, objects, pod_logs, references, sync
from errors import Waiting
from owner import Owner
from statuses import waiting


def read(client: api.Client) -> Record | None:
    """Return the record; an empty one without any, None if the ConfigMap is a person's."""
    stored = objects.get(client, references.LOGINS)
    if not stored:
        return NO_RECORD
    if not objects.mark_of(stored):
        return None
    return _load(stored)


def recent(client: api.Client, log: pod_logs.Logs) -> Record:
    """Return the record with the logins in ``log`` too, which the leader has yet to record."""
    found = logins.parse(log.lines, log.since, log.end)
    return logins.updated(read(client) or NO_RECORD, found)


def write(client: api.Client, owner: Owner, former: Record, record: Record) -> None:
    """Make ``record`` what the cluster has. Raise `errors.Waiting` if the cluster has another
    record than ``former``, which was read before."""
    stored = objects.get(client, references.LOGINS)
    if stored and _load(stored) != former:
        raise Waiting(waiting.OTHERS_CHANGE())
    sync.apply(client, manifests.logins(owner, logins.dump(record)), stored)


def _load(stored: api.Object) -> Record:
    return logins.load(stored.get("data") or {})

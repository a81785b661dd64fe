# SPDX-License-Identifier: Apache-2.0

"""The record of who was last let in on which day: a ConfigMap, which outlives pods and leaders.

Call every function inside `errors_as_status`.
"""

from __future__ import annotations

import times
from access import logins
from access.logins import Record
from cluster import api, manifests, objects, references, sync
from owner import Owner


def read(client: api.Client) -> Record | None:
    """Return the record; an empty one without any, None if the ConfigMap is a person's."""
    stored = objects.get(client, references.LOGINS)
    if not stored:
        return Record()
    if not objects.mark_of(stored):
        return None
    return logins.load(stored.get("data") or {}, times.now().date())


def write(client: api.Client, owner: Owner, record: Record) -> None:
    """Make ``record`` what the cluster has."""
    sync.apply(client, manifests.logins(owner, logins.dump(record)))

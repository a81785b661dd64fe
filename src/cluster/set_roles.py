# SPDX-License-Identifier: Apache-2.0

"""The roles of permission sets, of which only mappings and logins tell.

Call every function inside `errors_as_status`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from access.mapping import IdentityMapping
from cluster import api

if TYPE_CHECKING:
    from access.declaration.declared import Declared
    from access.permission_sets import PermissionSet

# How far back a look at the pods' log reads: somebody may have been refused before the set was
# declared, and the hooks of an idle unit may be an hour apart.
LOG_SECONDS = 3600


def find(
    client: api.Client, declared: Declared, found: Sequence[IdentityMapping]
) -> dict[PermissionSet, str]:
    """Return the ARN of each declared permission set's role, if nobody gave its suffix and it is
    known.

    The pods' log is read if such a set has no mapping yet, and only then: it costs one request for
    each pod. Nothing keeps the time of the last look, so looks overlap.
    """
    sets = [each.permission_set for each in declared.entries if each.learns]
    wanted = [each for each in sets if each]
    if not wanted:
        return {}
    from access import permission_sets, refusals
    from cluster import pod_logs

    known = permission_sets.learn(wanted, (), found, declared.partition)
    if known.keys() >= {*wanted}:
        return known
    log = pod_logs.read(client, LOG_SECONDS)
    confirmed = refusals.confirmed(log.lines)
    return permission_sets.learn(wanted, confirmed, found, declared.partition)

# SPDX-License-Identifier: Apache-2.0

"""What goes with the application: its objects, and the access that the charm made.

Call every function inside `errors_as_status`.
"""

from __future__ import annotations

from access import desired
from access.desired import Access
from cluster import api, crd, objects, references, services, state, sync
from cluster.api import WRITE_SECONDS
from labels import GRANT, OPTION
from owner import Owner

# What removal keeps of its time: for the last answer about mappings, and for the Service.
LAST_SECONDS = WRITE_SECONDS + 1.0


def remove(client: api.Client, owner: Owner) -> int:
    """Delete all that ``owner`` owns: never the CRD and people's mappings.

    Return how many mappings and bindings are left, for lack of time or because others keep them.

    Delete objects without a mark too, unless another application owns any of the objects: its
    leader may be about to mark the others. Leave a person's alone.

    The mappings that the charm made belong to the Service's owner, so the Service goes after them.
    The authenticator goes before them: if there is no time for all of them, nobody logs in.
    A Service that `services.keep` has kept stays.
    """
    found = {what: objects.get(client, what) for what in references.OWNED}
    marks = {what: objects.mark_of(stored) for what, stored in found.items() if stored}
    shared = any(owner.is_foreign(mark) for mark in marks.values())
    for what, mark in marks.items():
        is_former = not mark and not objects.is_persons(what, mark) and not shared
        if what != references.SERVICE and (owner.owns(mark) or is_former):
            objects.delete(client, what)
    client.prolong()
    if owner.is_foreign(marks.get(references.SERVICE, "")):
        return 0
    left = _remove_access(client, owner)
    services.delete(client, owner, shared=shared)
    return left


def _remove_access(client: api.Client, owner: Owner) -> int:
    """Delete the mappings that the charm made, and their bindings; return how many are left.

    Grants go first: an application that is deployed later deletes what no option declares, and
    keeps grants.
    """
    bound = tuple(state.role_bindings(client, owner))
    mappings = state.mappings(client) if crd.is_served(client) else []
    mappings.sort(key=lambda mapping: mapping.source != GRANT)
    theirs = tuple(each for each in mappings if each.source not in (GRANT, OPTION))
    steps = desired.changes(Access(tuple(mappings), bound), Access(theirs))
    result = sync.make(client, owner, steps, keep=LAST_SECONDS)
    return len(result.unfinished) + len(result.refused)

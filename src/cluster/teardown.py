# SPDX-License-Identifier: Apache-2.0

"""What goes with the application: its objects, and the access that the charm made.

Each goes by itself: one that the server does not delete keeps no other from going.
"""

from __future__ import annotations

import contextlib
import dataclasses
import time
from collections.abc import Generator, Mapping

from access.desired import Access
from cluster import access, api, crd, objects, references, services
from cluster.errors import errors_as_status
from cluster.services import Askers
from errors import Blocked, Unready
from labels import GRANT, OPTION
from owner import Owner

# What removal keeps of its time: for the last answer about mappings, and for the Service.
LAST_SECONDS = 5.0
# How often one hook tries again what fails, how long it waits in between, and how long one more
# try may take. The next hook tries again too.
TRIES, RETRY_SECONDS, TRY_SECONDS = 5, 1.0, 8.0
_ACCESS = "mappings and bindings"


@dataclasses.dataclass(frozen=True)
class Remains:
    """What a removal leaves."""

    # Why each object stays that should go.
    failed: Mapping[str, Unready] = dataclasses.field(default_factory=dict[str, Unready])
    # How many mappings and bindings of the charm's stay: no time was left, or a refusal.
    access: int = 0
    # The name of each Service that is kept by its address, which control planes still ask; empty
    # if another Service has that.
    kept: Mapping[str, str] = dataclasses.field(default_factory=dict[str, str])


def remove(client: api.Client, owner: Owner, askers: Askers) -> Remains:
    """Delete all that ``owner`` owns: never the CRD, its policy and people's mappings.

    A Service that somebody asks stays, as `services.remove` has it. Try again what fails and may
    pass, as long as the server answers anything at all.
    """
    remains, is_over = _try(client, owner, askers)
    for _ in range(TRIES):
        if is_over or client.seconds_left < TRY_SECONDS:
            break
        time.sleep(RETRY_SECONDS)
        remains, is_over = _try(client, owner, askers)
    return remains


def _try(client: api.Client, owner: Owner, askers: Askers) -> tuple[Remains, bool]:
    """Try to delete everything once. Return what is left, and whether another try is no use.

    Delete objects without a mark too, unless another application owns any of the objects: its
    leader may be about to mark the others. Leave a person's alone.

    The mappings that the charm made belong to the Service's owner, so the Service goes after them.
    Without a mark on it, they stay if any object has another owner.
    The authenticator goes before them: if there is no time for all of them, nobody logs in.
    """
    failed, marks = dict[str, Unready](), dict[references.ObjectReference, str]()
    for what in references.OWNED:
        with _kept_in(failed, what.text):
            if stored := objects.get(client, what):
                marks[what] = objects.mark_of(stored)
    if len(failed) == len(references.OWNED):
        return Remains(failed), True
    # Without all marks, nobody knows whose the unmarked objects are.
    has_other_owner = any(map(owner.is_foreign, marks.values()))
    shared = bool(failed) or has_other_owner
    for what, mark in marks.items():
        is_former = not mark and not shared
        if what != references.SERVICE and (owner.owns(mark) or is_former):
            with _kept_in(failed, what.text):
                objects.delete(client, what)
    remaining, kept = 0, dict[str, str]()
    is_foreign = has_other_owner and not owner.owns(marks.get(references.SERVICE, ""))
    if references.SERVICE.text not in failed and not is_foreign:
        with _kept_in(failed, _ACCESS):
            remaining = _remove_access(client)
        # An application that waits for the Service would take over the access with it.
        if _ACCESS not in failed:
            with _kept_in(failed, references.SERVICE.text):
                kept = services.remove(client, owner, askers, shared=shared)
    is_over = all(isinstance(each, Blocked) for each in failed.values()) and not remaining
    return Remains(failed, remaining, kept), is_over


@contextlib.contextmanager
def _kept_in(failed: dict[str, Unready], what: str) -> Generator[None]:
    """Keep in ``failed`` why an object stays, in place of raising it."""
    try:
        with errors_as_status():
            yield
    except Unready as reason:
        failed[what] = reason


def _remove_access(client: api.Client) -> int:
    """Delete the mappings that the charm made, and their bindings; return how many are left.

    Grants go first: an application that is deployed later deletes what no option declares, and
    keeps grants.
    """
    bound = tuple(access.role_bindings(client))
    mappings = access.mappings(client) if crd.is_served(client) else []
    mappings.sort(key=lambda mapping: mapping.source != GRANT)
    theirs = tuple(each for each in mappings if each.source not in (GRANT, OPTION))
    found, seconds = Access(tuple(mappings), bound), client.seconds_left - LAST_SECONDS
    return len(access.make(client, found, Access(theirs), "removal", seconds=seconds).left)

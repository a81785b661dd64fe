# SPDX-License-Identifier: Apache-2.0

"""What goes with the application: its objects, and the access that the charm made.

Each goes by itself: one that the server does not delete keeps no other from going.
"""

from __future__ import annotations

import contextlib
import dataclasses
import time
from collections.abc import Callable, Generator, Mapping

from access.desired import Access
from cluster import access, api, crd, objects, references
from cluster.errors import errors_as_status
from errors import Blocked, Unready
from owner import GRANT, OPTION, Owner

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
    address: str = ""  # The address at which the Service is kept; empty if it is not.


# Removes the Service, given as the cluster has it, and returns the address at which it is kept.
RemoveService = Callable[["api.Object | None"], str]


def remove(client: api.Client, owner: Owner, remove_service: RemoveService) -> Remains:
    """Delete all that ``owner`` owns: never the CRD, its policy and people's mappings.

    Try again what fails and may pass, as long as there is time.
    """
    for _ in range(TRIES):
        remains, is_over = _try(client, owner, remove_service)
        if is_over or client.seconds_left < TRY_SECONDS:
            return remains
        time.sleep(RETRY_SECONDS)
    return _try(client, owner, remove_service)[0]


def _try(client: api.Client, owner: Owner, remove_service: RemoveService) -> tuple[Remains, bool]:
    """Try to delete everything once. Return what is left, and whether another try is no use.

    The authenticator goes first: if there is no time for all mappings, nobody logs in. The Service
    goes last, because its mark says whose all is: an application that waits for it would take over
    the access with it.
    """
    failed = dict[str, Unready]()
    service, remaining, address = None, 0, ""
    with _kept_in(failed, references.SERVICE.text):
        service = objects.get(client, references.SERVICE)
        mark = objects.mark_of(service)
        # Somebody may have deleted the Service, or taken its mark off.
        if owner.is_foreign(mark or objects.mark_of(objects.get(client, references.DEPLOYMENT))):
            return Remains(), True
    if not failed:
        for what in references.OWNED:
            if what != references.SERVICE:
                with _kept_in(failed, what.text):
                    objects.delete(client, what)
        with _kept_in(failed, _ACCESS):
            remaining = _remove_access(client)
        if _ACCESS not in failed:
            with _kept_in(failed, references.SERVICE.text):
                address = remove_service(service)
    is_over = all(isinstance(each, Blocked) for each in failed.values()) and not remaining
    return Remains(failed, remaining, address), is_over


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

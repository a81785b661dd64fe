# SPDX-License-Identifier: Apache-2.0

"""The Service, whose address the control planes ask.

Control planes trust whoever answers at this address. So it must never be free while one of them
asks there. A finalizer of the charm's holds it: Kubernetes frees the address of a Service, and
stops routing it, only when the last finalizer is gone.

Kubernetes lets nobody change a Service's address. So the Service keeps the one that it was made
with.

Call every function inside `errors_as_status`.
"""

from __future__ import annotations

import ipaddress
import logging
from collections.abc import Callable
from typing import TypeVar

from cluster import api, manifests, objects, references
from cluster.errors import ApiError
from errors import Blocked, Waiting
from owner import FINALIZER, Owner
from statuses import blocked, options, waiting
from text import brief, is_ip

T = TypeVar("T")

logger = logging.getLogger(__name__)

# The first minor version that lets a Service prefer a pod on the client's own node (KEP-3015).
SAME_NODE_SINCE = (1, 34)


def manifest(client: api.Client, owner: Owner, address: str = "") -> manifests.Manifest:
    """Return the Service as this server can have it, as `manifests.service` does.

    A node that is lost takes its control plane along. Where that asked its own pod, no other
    control plane loses a login by it.
    """
    return manifests.service(owner, address, same_node=client.version >= SAME_NODE_SINCE)


def apply(
    client: api.Client, owner: Owner, chosen: str, former: str, stored: api.Object | None
) -> str:
    """Apply the Service, and return its address.

    ``stored`` is the Service as this hook has read it. If there is none, it gets the address
    ``former``, which the control planes ask so far, or else ``chosen``, the operator's choice.

    Raise `errors.Blocked` if no Service can have the address ``chosen``.
    """
    if not stored:
        return _make(client, owner, chosen, former)
    address = cluster_ip(stored)
    if "deletionTimestamp" not in stored["metadata"]:
        objects.apply(client, manifest(client, owner, address), stored)
        return address
    logger.warning("somebody deleted the Service; making it again at its address")
    return _in_place(client, lambda: _make(client, owner, chosen, address))


def _in_place(client: api.Client, write: Callable[[], T]) -> T:
    """Let the Service go that somebody deleted, and ``write`` another one in its place."""
    try:
        objects.delete(client, references.SERVICE)
    finally:
        # Ask for nothing in between, and wait for no lost answer: until this arrives, the address
        # may be anybody's.
        written = write()
    return written


def _make(client: api.Client, owner: Owner, chosen: str, former: str) -> str:
    """Make the Service, and return its address."""
    chosen = str(ipaddress.ip_address(chosen)) if chosen else ""
    for address in filter(None, dict.fromkeys((former, chosen))):
        try:
            _write(client, manifest(client, owner, address))
        except ApiError as error:
            # Another Service has it by now, or it is outside of the cluster's range. A policy
            # refuses other things with 422 too.
            if error.code != 422 or "clusterIP" not in str(error):
                raise
            if address == chosen:
                refused = options.ADDRESS_REFUSED(address=chosen, reason=brief(error))
                raise Blocked(refused) from error
            logger.warning("another Service has %s, which control planes asked so far", former)
        else:
            return address
    return cluster_ip(_write(client, manifest(client, owner)))


def _write(client: api.Client, wanted: manifests.Manifest) -> api.Object:
    what = references.SERVICE
    return client.apply(objects.kind(what), what.name, wanted, namespace=what.namespace)


def cluster_ip(service: api.Object) -> str:
    """Return the address of a Service.

    Raises:
        errors.Blocked: it is headless, so the charm has not made it.
        errors.Waiting: it has none yet.
    """
    found: str | None = service["spec"].get("clusterIP")
    if found == "None":
        raise Blocked(blocked.SERVICE_HEADLESS())
    if not found or not is_ip(found):
        raise Waiting(waiting.CLUSTER_IP())
    return found


def remove(
    client: api.Client,
    owner: Owner,
    stored: api.Object | None,
    known: str,
    asks: Callable[[str], bool],
    *,
    is_keeper: bool,
) -> str:
    """Delete the Service, which frees its address, unless this machine's control plane ``asks``.

    ``stored`` is the Service, which has no other owner; without it, its address was ``known``. One
    that another unit kept stays, unless this unit ``is_keeper`` too.

    Return the address at which the Service is kept; empty if it is not.
    """
    address = stored["spec"].get("clusterIP", "") if stored else known
    if address and asks(address):
        _keep(client, owner, stored, address)
        return address
    if stored:
        is_kept = FINALIZER in (stored["metadata"].get("finalizers") or ())
        if owner.owns(objects.mark_of(stored)) or is_keeper or not is_kept:
            # Another unit may be keeping it for its own control plane.
            objects.delete(client, references.SERVICE, stored["metadata"]["resourceVersion"])
    return ""


def _keep(client: api.Client, owner: Owner, stored: api.Object | None, address: str) -> None:
    """Keep the Service at its address, without a mark: whoever deploys next takes it over."""
    kept = manifest(client, owner, address)
    del kept["metadata"]["annotations"]
    if stored and "deletionTimestamp" in stored["metadata"]:
        _in_place(client, lambda: _write(client, kept))
        return
    _write(client, kept)

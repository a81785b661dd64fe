# SPDX-License-Identifier: Apache-2.0

"""The address of the webhook, and the Service that has it.

Kubernetes lets nobody change a Service's address. So another address has a Service of its own,
and the former goes on serving until the application is removed: no control plane that still asks
there loses a login, and nobody else gets the address meanwhile.

Call every function inside `errors_as_status`.
"""

from __future__ import annotations

import ipaddress
import re

from cluster import api, manifests, objects, references, sync
from errors import Blocked, Waiting
from owner import Owner
from statuses import blocked, options, waiting
from text import is_ip

# Kubernetes' answer to an address that no Service can have.
_RANGE = re.compile(r"range of valid IPs is ([0-9a-fA-F.:/]+)")


def apply(
    client: api.Client, owner: Owner, chosen: str, former: str, first: api.Object | None
) -> str:
    """Apply the Service, and return the address that the control planes are to ask.

    ``first`` is the charm's first Service, as this hook has read it.

    It is ``chosen``, the operator's choice, or else ``former``, which they ask so far, if a
    Service can have it. Otherwise it is the one that the Service has.

    Raises:
        errors.Blocked: no Service can have the address ``chosen``.
    """
    from lightkube import ApiError

    chosen = str(ipaddress.ip_address(chosen)) if chosen else ""
    wanted = chosen or former
    if chosen and not (first or objects.get(client, manifests.extra_service(chosen))):
        return _apply_chosen(client, owner, chosen)
    try:
        found = _apply_first(client, owner, wanted, first)
    except ApiError as error:
        # 422: another Service has the address by now, or it is outside of the cluster's range;
        # or our Service has another address.
        if not wanted or error.status.code != 422:
            raise
        service = objects.get(client, references.SERVICE)
        found = _apply_first(client, owner, _cluster_ip(service) if service else "", service)
    if not wanted or found == wanted:
        return found
    if chosen:
        return _apply_chosen(client, owner, chosen, extra=True)
    try:
        sync.apply(client, manifests.service(owner, former, extra=True))
    except ApiError as error:
        if error.status.code != 422:
            raise
        return found
    return former


def _apply_first(client: api.Client, owner: Owner, address: str, stored: api.Object | None) -> str:
    """Apply the Service, at any address if ``address`` is empty, and return the one it has."""
    manifest = manifests.service(owner, address or None)
    found = _cluster_ip(sync.apply(client, manifest, stored))
    if found != address:
        # The address is part of what is applied from now on, so the next hook changes nothing.
        sync.apply(client, manifests.service(owner, found))
    return found


def _apply_chosen(client: api.Client, owner: Owner, address: str, *, extra: bool = False) -> str:
    """Give ``address`` to the Service, or to an extra one; return it."""
    from lightkube import ApiError

    try:
        sync.apply(client, manifests.service(owner, address, extra=extra))
    except ApiError as error:
        if error.status.code != 422:
            raise
        message = error.status.message or ""
        if "allocated" in message:
            raise Blocked(options.ADDRESS_IN_USE(address=address)) from error
        found = _RANGE.search(message)
        among = found[1].rstrip(".") if found else "the cluster's Service range"
        text = options.ADDRESS_OUT_OF_RANGE(address=address, range=among)
        raise Blocked(text) from error
    return address


def of_address(client: api.Client, address: str) -> api.Object | None:
    """Return the charm's Service that has ``address``; without one, the charm's first Service."""
    first = objects.get(client, references.SERVICE)
    if not address or (first and first["spec"].get("clusterIP") == address):
        return first
    return objects.get(client, manifests.extra_service(address)) or first


def _cluster_ip(service: api.Object) -> str:
    found: str | None = service["spec"].get("clusterIP")
    if found == "None":
        raise Blocked(blocked.SERVICE_HEADLESS())
    if not found or not is_ip(found):
        raise Waiting(waiting.CLUSTER_IP())
    return found

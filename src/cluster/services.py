# SPDX-License-Identifier: Apache-2.0

"""The address of the webhook, and the Service that has it.

Control planes trust whoever answers at this address. So it must never be free while one of them
asks there. A finalizer of the charm's holds it: Kubernetes frees the address of a Service, and
stops routing it, only when the last finalizer is gone.

Kubernetes lets nobody change a Service's address. So another address has a Service of its own,
and the former goes on serving until the application is removed: no control plane that still asks
there loses a login, and nobody else gets the address meanwhile.

Call every function inside `errors_as_status`.
"""

from __future__ import annotations

import dataclasses
import ipaddress
import logging
import re
from collections.abc import Mapping

from lightkube.resources.core_v1 import Service

from cluster import answers, api, manifests, objects, references, sync
from cluster.errors import ApiError
from errors import Blocked, Waiting
from labels import FINALIZER, KEPT
from owner import Owner
from statuses import blocked, options, waiting
from text import is_ip

logger = logging.getLogger(__name__)

# The first minor version that lets a Service prefer a pod on the client's own node (KEP-3015).
SAME_NODE_SINCE = (1, 34)
# Kubernetes' answer to an address that no Service can have.
_RANGE = re.compile(r"range of valid IPs is ([0-9a-fA-F.:/]+)")


def manifest(
    client: api.Client, owner: Owner, address: str | None, *, extra: bool = False
) -> manifests.Manifest:
    """Return the Service as this server can have it, as `manifests.service` does.

    A node that is lost takes its control plane along. Where that asked its own pod, no other
    control plane loses a login by it.
    """
    same_node = client.version >= SAME_NODE_SINCE
    return manifests.service(owner, address, extra=extra, same_node=same_node)


def apply(
    client: api.Client, owner: Owner, chosen: str, former: str, first: api.Object | None
) -> str:
    """Apply the Service, and return the address that the control planes are to ask.

    ``first`` is the charm's first Service, as this hook has read it.

    It is ``chosen``, the operator's choice, or else ``former``, which they ask so far, if a
    Service can have it. Otherwise it is the one that the Service has.

    Raise `errors.Blocked` if no Service can have the address ``chosen``.
    """
    chosen = str(ipaddress.ip_address(chosen)) if chosen else ""
    wanted = chosen or former
    known = bool(first) and first["spec"].get("clusterIP") == wanted
    extra = objects.get(client, manifests.extra_service(wanted)) if wanted and not known else None
    if wanted and not first and not extra:
        found, reason = "", _obtain(client, manifest(client, owner, wanted))
    else:
        found = _apply_first(client, owner, first)
        if not wanted or found == wanted:
            return found
        reason = _obtain(client, manifest(client, owner, wanted, extra=True), extra)
    if not reason:
        return wanted
    if chosen:
        raise _refused(owner, chosen, former, reason)
    return found or _apply_first(client, owner, None)


def _apply_first(client: api.Client, owner: Owner, first: api.Object | None) -> str:
    """Apply the first Service, at its own address or else at any, and return its address."""
    if first:
        address = cluster_ip(first)
        if not _obtain(client, manifest(client, owner, address), first):
            return address
    address = cluster_ip(sync.apply(client, manifest(client, owner, None)))
    # The address is part of what is applied from now on, so the next hook changes nothing.
    sync.apply(client, manifest(client, owner, address))
    return address


def _obtain(
    client: api.Client, wanted: manifests.Manifest, stored: api.Object | None = None
) -> str:
    """Apply a Service that asks for an address. Return why it cannot have it; empty if it has."""
    what = manifests.reference(wanted)
    try:
        if not stored or "deletionTimestamp" not in stored["metadata"]:
            sync.apply(client, wanted, stored)
            return ""
        try:
            objects.delete(client, what)
        finally:
            # Ask for nothing in between, and wait for no lost answer: until this arrives, the
            # address may be anybody's.
            client.apply(objects.kind(what), what.name, wanted, namespace=what.namespace)
        logger.warning("somebody deleted Service %s; made it again with its address", what.name)
    except ApiError as error:
        if not _is_of_address(error):
            raise
        return str(error)
    return ""


def _is_of_address(error: ApiError) -> bool:
    """Return whether a Service cannot have its address: another one has it by now, or it is
    outside of the cluster's range. A policy refuses other things with 422 too."""
    return error.code == 422 and "clusterIP" in str(error)


def _refused(owner: Owner, chosen: str, former: str, reason: str) -> Blocked:
    """Return why no Service can have the address ``chosen``."""
    if "allocated" in reason and chosen == former:
        command = f"juju config {owner.application} webhook-address="
        return Blocked(blocked.ADDRESS_TAKEN(command=command))
    if "allocated" in reason:
        return Blocked(options.ADDRESS_IN_USE(address=chosen))
    found = _RANGE.search(reason)
    among = found[1] if found else "the cluster's Service range"
    return Blocked(options.ADDRESS_OUT_OF_RANGE(address=chosen, range=among))


def of_address(client: api.Client, address: str) -> api.Object | None:
    """Return the charm's Service that has ``address``; without one, the charm's first Service."""
    first = objects.get(client, references.SERVICE)
    if not address or (first and first["spec"].get("clusterIP") == address):
        return first
    return objects.get(client, manifests.extra_service(address)) or first


def has(client: api.Client, address: str) -> bool:
    """Return whether one of the charm's Services has ``address``."""
    service = of_address(client, address)
    return bool(service) and service["spec"].get("clusterIP") == address


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


# When the application is removed.


@dataclasses.dataclass(frozen=True)
class Askers:
    """The control planes that still send logins to an address, as a unit that goes knows them."""

    addresses: Mapping[str, str]  # By the name of the control-plane unit.
    own: str  # The name of this unit's own control-plane unit, which need not ask.
    known: str  # The Service's address, as this unit knew it last.


def remove(client: api.Client, owner: Owner, askers: Askers, *, shared: bool) -> dict[str, str]:
    """Delete the Services of ``owner``, which frees their addresses, but for those still asked.

    A Service that was kept for this unit's own control plane alone goes once that asks no more.
    The Service of the reactive charm has no owner and holds no address. It goes too, unless it is
    ``shared``: another application owns some of the objects.

    Return the name of each Service that is kept by its address: empty if another Service has that.
    """
    kept = dict[str, str]()
    for address in dict.fromkeys(askers.addresses.values()):
        name = _keep(client, owner, askers, address)
        if name is not None:
            kept[address] = name
    namespace, label = references.NAMESPACE, references.LABEL
    listed = client.list(Service, answers.Named, namespace=namespace, labels=label)
    # The first Service says whose all objects are, so it goes last.
    names = {references.NAME, *(each.metadata.name for each in listed)} - {*kept.values()}
    for name in sorted(names, reverse=True):
        what = dataclasses.replace(references.SERVICE, name=name)
        service = objects.get(client, what)
        if service and _goes(owner, service, askers.own, shared=shared):
            objects.delete(client, what)
        elif service and askers.own in _kept_for(owner, service):
            _keep(client, owner, askers, cluster_ip(service))
    return kept


def _goes(owner: Owner, service: api.Object, principal: str, *, shared: bool) -> bool:
    if mark := objects.mark_of(service):
        return owner.owns(mark)
    if FINALIZER in (service["metadata"].get("finalizers") or ()):
        return _kept_for(owner, service) == {principal}
    return service["metadata"]["name"] == references.NAME and not shared


def _kept_for(owner: Owner, service: api.Object) -> set[str]:
    """Return the control-plane units of the owner's model that a Service is kept for."""
    units, _, model = objects.annotations_of(service).get(KEPT, "").partition(" of model ")
    return {*units.split()} if model.endswith(f"({owner.model_uuid})") else set()


def _keep(client: api.Client, owner: Owner, askers: Askers, address: str) -> str | None:
    """Keep the Service of ``address`` for the next application, if a control plane still asks it.

    It loses its pods. With its selector and its finalizer, nobody else gets the address. If
    somebody has deleted it, make it again.

    Return its name: empty if another Service has the address, None if nobody asks it any more, or
    it is not ``owner``'s.
    """
    service = of_address(client, address)
    if service and service["spec"].get("clusterIP") != address:
        return None
    if owner.is_foreign(objects.mark_of(service)) or (not service and address != askers.known):
        return None
    units = _to_keep_for(owner, service, askers, address)
    if not units:
        return None
    name = service["metadata"]["name"] if service else references.NAME
    kept = manifest(client, owner, address, extra=name != references.NAME)
    # Whoever deploys next owns it then, and its apply takes this off.
    kept_for = f"{' '.join(sorted(units))} of model {owner.model} ({owner.model_uuid})"
    kept["metadata"]["annotations"] = {KEPT: kept_for}
    if service:
        # Another unit may speak for its own control plane at the same time.
        kept["metadata"]["resourceVersion"] = service["metadata"]["resourceVersion"]
    what = manifests.reference(kept)
    try:
        client.apply(objects.kind(what), what.name, kept, namespace=what.namespace)
    except ApiError as error:
        if not _is_of_address(error):
            raise
        return ""
    return name


def _to_keep_for(
    owner: Owner, service: api.Object | None, askers: Askers, address: str
) -> set[str]:
    """Return the control-plane units that the Service of ``address`` is to be kept for.

    Once it is kept, each unit speaks for its own control plane alone: what others have said before
    they went need not be so any more.
    """
    asking = {unit for unit, each in askers.addresses.items() if each == address}
    others = (_kept_for(owner, service) or asking) if service else set[str]()
    return others - {askers.own} | asking & {askers.own}

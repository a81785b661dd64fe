# SPDX-License-Identifier: Apache-2.0

"""The Service that stays behind a removal, because a control plane still sends logins to it.

Whoever gets the address of a Service that was deleted gets the tokens that are sent there, and
answers for the authenticator. A Service without a selector keeps the address and has no pods.

Call `keep` inside `errors_as_status`.
"""

from __future__ import annotations

import dataclasses
import time

from cluster import api, manifests, objects, references, services, sync
from owner import Owner

# Controllers may write endpoints for a moment after the selector has gone.
_TRIES, _PAUSE_SECONDS = 6, 0.5
_SERVICE_NAME = "kubernetes.io/service-name"


@dataclasses.dataclass(frozen=True)
class Kept:
    """What became of an address.

    Attributes:
        address: The address.
        service: The Service that keeps it; empty if another one may have it.
    """

    address: str
    service: str


def keep(client: api.Client, owner: Owner, address: str, unit: str) -> Kept | None:
    """Keep ``address`` for nobody, if it is the Service's, or was the Service's until it was gone.

    ``unit`` is the control-plane unit that sends logins to ``address``. Return None if the Service
    of that address is not ``owner``'s.
    """
    from lightkube import ApiError

    service = services.of_address(client, address)
    if service and owner.is_foreign(objects.mark_of(service)):
        return None
    if service and service["spec"].get("clusterIP") != address:
        return None
    name = service["metadata"]["name"] if service else references.NAME
    try:
        kept = sync.apply(client, manifests.kept_service(address, unit, name))
        if kept["spec"].get("selector"):
            reference = dataclasses.replace(references.SERVICE, name=name)
            client.patch(
                objects.kind(reference),
                name,
                {"spec": {"selector": None}},
                namespace=reference.namespace,
            )
    except ApiError as error:
        # 422: another Service has the address, or it is outside of the cluster's range.
        if service or error.status.code != 422:
            raise
        return Kept(address, "")
    _clear_endpoints(client, name)
    return Kept(address, name)


def _clear_endpoints(client: api.Client, service: str) -> None:
    """Delete the endpoints. Kubernetes leaves them alone when a Service loses its selector, and
    a pod of somebody else may get the IP address of one of ours."""
    from lightkube.resources.discovery_v1 import EndpointSlice

    labels = {_SERVICE_NAME: service}
    for _ in range(_TRIES):
        objects.delete(client, dataclasses.replace(references.ENDPOINTS, name=service))
        slices = list(client.list(EndpointSlice, namespace=references.NAMESPACE, labels=labels))
        if not slices:
            return
        for each in slices:
            name = (each.metadata and each.metadata.name) or ""
            objects.delete(client, manifests.endpoint_slice(name))
        time.sleep(_PAUSE_SECONDS)

# Copyright 2026 Canonical Ltd.
# See LICENSE file for licensing details.

"""The Service that stays behind a removal, because a control plane still sends logins to it.

Whoever gets the address of a Service that was deleted gets the tokens that are sent there, and
answers for the authenticator. A Service without a selector keeps the address and has no pods.

Call `keep` inside `api.errors_as_status`.
"""

from __future__ import annotations

import time

from cluster import api, manifests, objects
from owner import Owner

# What became of the address.
KEPT, LOST = "kept", "lost"
# Controllers may write endpoints for a moment after the selector has gone.
_TRIES, _PAUSE_SECONDS = 6, 0.5
_SERVICE_NAME = "kubernetes.io/service-name"


def keep(client: api.Client, owner: Owner, address: str, unit: str) -> str:
    """Keep ``address`` for nobody, if it is the Service's, or was the Service's until it was gone.

    ``unit`` is the control-plane unit that sends logins to ``address``. Return `KEPT` or `LOST`,
    and an empty text if the Service of that address is not ``owner``'s.
    """
    from lightkube import ApiError

    service = objects.find(client, manifests.SERVICE)
    if service and owner.is_foreign(objects.mark_of(service)):
        return ""
    if service and service["spec"].get("clusterIP") != address:
        return ""
    try:
        kept = objects.apply(client, manifests.kept_service(address, unit))
        if kept["spec"].get("selector"):
            objects.merge(client, manifests.SERVICE, {"spec": {"selector": None}})
    except ApiError as error:
        # 422: another Service has the address, or it is outside of the cluster's range.
        if service or error.status.code != 422:
            raise
        return LOST
    _clear_endpoints(client)
    return KEPT


def _clear_endpoints(client: api.Client) -> None:
    """Delete the endpoints. Kubernetes leaves them alone when a Service loses its selector, and
    a pod of somebody else may get the IP address of one of ours."""
    from lightkube.resources.discovery_v1 import EndpointSlice

    labels = {_SERVICE_NAME: manifests.NAME}
    for _ in range(_TRIES):
        objects.delete(client, manifests.ENDPOINTS)
        slices = list(client.list(EndpointSlice, namespace=manifests.NAMESPACE, labels=labels))
        if not slices:
            return
        for each in slices:
            name = (each.metadata and each.metadata.name) or ""
            objects.delete(client, manifests.endpoint_slice(name))
        time.sleep(_PAUSE_SECONDS)

# SPDX-License-Identifier: Apache-2.0

"""Take over the objects that the reactive charm applied with kubectl.

Call it inside `errors_as_status`.
"""

from __future__ import annotations

from cluster import api, objects, references, services, sync
from owner import Owner


def take_over(client: api.Client, owner: Owner, service: api.Object) -> api.Object:
    """Move all that `kubectl apply` set to our field manager, then mark ``service`` as owned,
    and return it.

    Each object's one apply then also removes the fields that the charm does not set, so pods are
    replaced once. The Service is marked last, so the next hook goes on if this one dies here.

    Raises:
        errors.Blocked: ``service`` is headless, so it is a person's.
        errors.Conflict: an object has changed since it was read.
    """
    address = services.cluster_ip(service)
    for what in references.OWNED:
        stored = None if what == references.SERVICE else objects.get(client, what)
        if stored:
            sync.adopt(client, what, stored)
    service = sync.adopt(client, references.SERVICE, service)
    manifest = services.manifest(client, owner, address)
    manifest["metadata"]["resourceVersion"] = service["metadata"]["resourceVersion"]
    return sync.apply(client, manifest, service)

# SPDX-License-Identifier: Apache-2.0

"""Take over the objects that the reactive charm applied with kubectl.

Call it inside `errors_as_status`.
"""

from __future__ import annotations

from cluster import api, manifests, objects, references, sync
from migration import csa_upgrade
from owner import Owner

# It stays when the charm goes, so it is not among the objects that the charm owns.
_CRD = references.ObjectReference(
    "apiextensions.k8s.io/v1", "CustomResourceDefinition", name=references.CRD, namespace=None
)


def take_over(client: api.Client, owner: Owner, service: api.Object) -> api.Object:
    """Move all that `kubectl apply` set to our field manager, then mark ``service`` as owned,
    and return it.

    Each object's one apply then also removes the fields that the charm does not set, so pods are
    replaced once. The Service is marked last, so the next hook goes on if this one dies here.

    Raises:
        errors.Conflict: an object has changed since it was read.
    """
    for what in (_CRD, *references.OWNED):
        stored = None if what == references.SERVICE else objects.get(client, what)
        if stored and not objects.is_persons(what, objects.mark_of(stored)):
            _adopt(client, what, stored)
    service = _adopt(client, references.SERVICE, service)
    manifest = manifests.service(owner, service["spec"].get("clusterIP"))
    manifest["metadata"]["resourceVersion"] = service["metadata"]["resourceVersion"]
    return sync.apply(client, manifest, service)


def _adopt(client: api.Client, what: references.ObjectReference, stored: api.Object) -> api.Object:
    """Move the fields of client-side apply to our field manager, and return the object then."""
    patch = csa_upgrade.patch(stored["metadata"], api.MANAGER)
    if not patch:
        return stored
    return client.patch(objects.kind(what), what.name, patch, namespace=what.namespace)

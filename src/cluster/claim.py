# SPDX-License-Identifier: Apache-2.0

"""Which application owns the objects in the cluster: the one that claims them first.

Call every function inside `errors_as_status`.
"""

from __future__ import annotations

from cluster import api, manifests, objects, references
from cluster.errors import retry_on_conflict
from owner import Owner
from statuses import waiting


def claim(client: api.Client, owner: Owner) -> str:
    """Make ``owner`` the owner of the objects, unless another application owns them.

    Return that application's mark, or the empty text. Objects without a mark have no owner: the
    reactive charm made them, or an earlier version of this charm. Where there is no Service, its
    apply makes ``owner`` the owner. If two applications create it at once, the later apply wins,
    and the other application sees that before it has a certificate to deploy.
    """
    return retry_on_conflict(lambda: _claim(client, owner), waiting.OTHERS_CHANGE())


def _claim(client: api.Client, owner: Owner) -> str:
    service = objects.get(client, references.SERVICE)
    if not service:
        return ""
    if mark := objects.mark_of(service):
        return mark if owner.is_foreign(mark) else ""
    _take(client, service, owner)
    return ""


def is_owned(client: api.Client, owner: Owner) -> bool:
    """Return whether ``owner`` owns the objects."""
    service = objects.get(client, references.SERVICE)
    return bool(service) and owner.owns(objects.mark_of(service))


def _take(client: api.Client, service: api.Object, owner: Owner) -> None:
    """Move all that `kubectl apply` set to our field manager, then mark ``service``.

    Each object's one apply then also removes the fields that the charm does not set, so pods are
    replaced once. The Service is marked last, so the next hook goes on if this one dies here.

    Raises:
        errors.Conflict: an object has changed since it was read.
    """
    for what in references.OWNED:
        if what == references.SERVICE or not (stored := objects.get(client, what)):
            continue
        if not objects.is_persons(what, objects.mark_of(stored)):
            objects.adopt(client, what, stored)
    service = objects.adopt(client, references.SERVICE, service)
    manifest = manifests.service(owner, service["spec"].get("clusterIP"))
    manifest["metadata"]["resourceVersion"] = service["metadata"]["resourceVersion"]
    objects.apply_once(client, manifest)

# SPDX-License-Identifier: Apache-2.0

"""The charm's own objects in the cluster: find one, see whose it is, apply it and delete it.

Call every function inside `errors_as_status`.
"""

from __future__ import annotations

import functools
from typing import Any, cast

from lightkube import generic_resource
from lightkube.core.resource_registry import resource_registry

from cluster import api, manifests, references
from cluster.errors import suppress
from errors import Blocked
from owner import OWNER, Owner

# The field manager of client-side apply. `kubectl edit`, `label` and `patch`, which people use,
# have others.
_APPLIER = "kubectl-client-side-apply"
# Client-side apply keeps the whole object in this annotation, a Secret's data included.
_LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"


def get(client: api.Client, what: references.ObjectReference) -> api.Object | None:
    """Return the object as the cluster has it; None without it, or without its kind."""
    return client.get(kind(what), what.name, namespace=what.namespace)


def apply(
    client: api.Client,
    manifest: manifests.Manifest,
    stored: api.Object | None = None,
    *,
    keep_data: bool = False,
) -> api.Object:
    """Apply one object server-side unless it is so already. Return it as the cluster has it now.

    Every field of ``manifest`` becomes the charm's, whoever set it. ``stored`` is the object as
    this hook has read it; without it, this reads it. With ``keep_data``, its other keys stay.
    """
    what = manifests.reference(manifest)
    stored = stored or get(client, what)
    if keep_data and stored and "data" in manifest:
        manifest = {**manifest, "data": {**(stored.get("data") or {}), **manifest["data"]}}
    if stored and manifests.holds(stored, manifest):
        return stored
    if stored:
        _take_over(client, what, stored)
        # An action that another manager owns too would stand beside its opposite, which the server
        # refuses. A merge patch replaces the whole list.
        actions = manifest.get("spec", {}).get("validationActions")
        if actions != stored.get("spec", {}).get("validationActions"):
            client.patch(kind(what), what.name, {"spec": {"validationActions": actions}})
    return client.apply(kind(what), what.name, manifest, namespace=what.namespace)


def _take_over(client: api.Client, what: references.ObjectReference, stored: api.Object) -> None:
    """Make all fields ours that `kubectl apply` has set. Our next apply removes those that the
    charm does not set.

    The reactive charm's objects are `kubectl apply`'s. They stay in place, because up to
    Kubernetes 1.28 its pods admit people: the Service keeps its address, and the Deployment rolls
    from the former pods to the new ones, of which each serves before one of the former goes.
    client-go calls it ``csaupgrade``.
    """
    managers: list[api.Object] = stored["metadata"].get("managedFields") or []
    applied = [each for each in managers if each.get("manager") == _APPLIER]
    if not applied:
        return
    ours = {**applied[0], "manager": api.MANAGER, "operation": "Apply"}
    others = [each for each in managers if each.get("manager") not in (_APPLIER, api.MANAGER)]
    metadata = {"annotations": {_LAST_APPLIED: None}, "managedFields": [ours, *others]}
    client.patch(kind(what), what.name, {"metadata": metadata}, namespace=what.namespace)


def delete(client: api.Client, what: references.ObjectReference, version: str = "") -> None:
    """Delete an object, as `remove` does."""
    remove(client, kind(what), what.name, namespace=what.namespace, version=version)


def remove(
    client: api.Client,
    res: type[Any],
    name: str,
    *,
    namespace: str | None = None,
    version: str = "",
) -> None:
    """Delete an object, if there is one, with the finalizers by which others could keep it."""
    if client.delete(res, name, namespace=namespace, version=version):
        with suppress(404):
            client.patch(res, name, {"metadata": {"finalizers": None}}, namespace=namespace)


def claimed(
    client: api.Client, service: api.Object | None
) -> tuple[references.ObjectReference, str]:
    """Return the object that says whose all are, and its mark: the ``service``, or else the
    Deployment. Somebody may have deleted the Service."""
    if service:
        return references.SERVICE, mark_of(service)
    return references.DEPLOYMENT, mark_of(get(client, references.DEPLOYMENT))


def check_owner(client: api.Client, owner: Owner) -> None:
    """Raise `errors.Blocked` if another application than ``owner`` owns all objects."""
    what, mark = claimed(client, get(client, references.SERVICE))
    if owner.is_foreign(mark):
        raise Blocked(references.foreign(mark, what))


def mark_of(stored: api.Object | None) -> str:
    """Return the mark of the application that owns an object; empty without one."""
    return annotations_of(stored).get(OWNER, "") if stored else ""


def annotations_of(stored: api.Object) -> dict[str, str]:
    """Return an object's annotations; none where it has no such part."""
    return stored["metadata"].get("annotations") or {}


def kind(reference: references.ObjectReference) -> Any:
    """Return the class that lightkube has for the kind of an object."""
    return cast("Any", resource_registry).load(reference.api_version, reference.kind)


@functools.cache
def mapping() -> Any:
    """Return the class that lightkube has for the kind IAMIdentityMapping."""
    return cast("Any", generic_resource).create_global_resource(
        "iamauthenticator.k8s.aws", "v1alpha1", references.MAPPING, "iamidentitymappings"
    )

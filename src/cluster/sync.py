# SPDX-License-Identifier: Apache-2.0

"""One object each, made what is wanted by server-side apply. What is so already is left alone.

Call every function inside `errors_as_status`.
"""

from __future__ import annotations

import contextlib

from cluster import api, managed_fields, manifests, objects, references
from cluster.errors import CONFLICT_TRIES, Conflict


def apply(
    client: api.Client, manifest: manifests.Manifest, stored: api.Object | None = None
) -> api.Object:
    """Apply one object server-side unless it is so already. Return it as the cluster has it now.

    Every field of ``manifest`` becomes the charm's, whoever set it. ``stored`` is the object as
    this hook has read it; without it, this reads it.

    Raise `errors.Conflict` if its resourceVersion is not the one that ``manifest`` has, if any.
    """
    what = manifests.reference(manifest)
    stored = stored or objects.get(client, what)
    if stored and manifests.holds(stored, manifest):
        return stored
    if stored and stored.get("roleRef") != manifest.get("roleRef"):
        # Kubernetes lets nobody change that of a binding.
        objects.delete(client, what)
    elif stored:
        _adopt_latest(client, what, stored)
        # An action that another manager owns too would stand beside its opposite, which the server
        # refuses. A merge patch replaces the whole list.
        actions = manifest.get("spec", {}).get("validationActions")
        if actions != stored.get("spec", {}).get("validationActions"):
            client.patch(objects.kind(what), what.name, {"spec": {"validationActions": actions}})
    return client.apply(objects.kind(what), what.name, manifest, namespace=what.namespace)


def _adopt_latest(
    client: api.Client, what: references.ObjectReference, stored: api.Object | None
) -> None:
    """Adopt an object as it is by now. Where others keep changing it, the next hook adopts it."""
    for _ in range(CONFLICT_TRIES):
        if not stored:
            return
        with contextlib.suppress(Conflict):
            adopt(client, what, stored)
            return
        stored = objects.get(client, what)


def adopt(client: api.Client, what: references.ObjectReference, stored: api.Object) -> api.Object:
    """Make all fields ours that `kubectl apply` has set, and return the object then.

    Our next apply removes those that the charm does not set. Without this they would stay, and an
    action of the policy would stand beside its opposite.

    Raise `errors.Conflict` if the object has changed since it was read.
    """
    patch = managed_fields.adoption(stored["metadata"], api.MANAGER)
    if not patch:
        return stored
    return client.patch(objects.kind(what), what.name, patch, namespace=what.namespace)

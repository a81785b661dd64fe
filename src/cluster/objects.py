# SPDX-License-Identifier: Apache-2.0

"""The charm's own objects in the cluster: apply, find, change and delete one.

Call every function inside `errors_as_status`.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Mapping
from typing import Any, cast

import labels
from cluster import api, csa_upgrade, manifests, references
from cluster.applied import is_applied
from cluster.errors import CONFLICT_TRIES, Conflict
from errors import Waiting
from owner import Owner
from statuses import waiting


def adopt(client: api.Client, what: references.ObjectReference, stored: api.Object) -> api.Object:
    """Move the fields of client-side apply to our field manager, and return the object then."""
    patch = csa_upgrade.patch(stored["metadata"], api.MANAGER)
    return merge(client, what, patch) if patch else stored


def is_persons(what: references.ObjectReference, mark: str) -> bool:
    """Return whether an object with ``mark`` is a person's.

    The charm marks each of these objects when it makes it, so one without a mark is a person's.
    """
    return not mark and what in (*references.OPTIONAL, *references.KEPT)


def apply(client: api.Client, manifest: manifests.Manifest) -> api.Object:
    """Apply one object server-side unless it is so already. Return it as the cluster has it now.

    Every field of ``manifest`` becomes the charm's. Fields that a `kubectl apply` has set since
    `claim` become so too, and a second apply removes those that the charm does not set.
    Retries if the object changes in between (409), as it does when its controller writes.
    """
    what = manifests.reference(manifest)
    stored = get(client, what)
    if stored and _is_settled(manifest, stored):
        return stored
    applied = apply_once(client, manifest)
    for _ in range(CONFLICT_TRIES):
        with contextlib.suppress(Conflict):
            if adopt(client, what, applied) is applied:
                break
        applied = apply_once(client, manifest)
    return applied


def _is_settled(manifest: manifests.Manifest, stored: api.Object) -> bool:
    if csa_upgrade.patch(stored["metadata"], api.MANAGER):
        return False
    return is_applied(manifest, stored, api.MANAGER)


def apply_once(client: api.Client, manifest: manifests.Manifest) -> api.Object:
    """Apply one object server-side, and return it as it is then.

    Raises:
        errors.Conflict: its resourceVersion is not the one that ``manifest`` has, if any.
    """
    what = manifests.reference(manifest)
    applied = client.apply(_kind(what), what.name, manifest, namespace=what.namespace)
    if applied["metadata"]["name"] != what.name:
        raise Waiting(waiting.NOT_KUBERNETES())
    return applied


def merge(
    client: api.Client, what: references.ObjectReference, body: Mapping[str, Any]
) -> api.Object:
    """Change some fields of an object, whoever set them, and return it as it is then."""
    return client.patch(_kind(what), what.name, body, namespace=what.namespace)


def prune(client: api.Client, owner: Owner, desired: Iterable[manifests.Manifest]) -> None:
    """Delete the objects of ``owner`` that an option asked for and no longer does."""
    wanted = {manifests.reference(manifest) for manifest in desired}
    for what in references.OPTIONAL:
        if what in wanted:
            continue
        stored = get(client, what)
        if stored and owner.owns(mark_of(stored)):
            delete(client, what)


def delete(client: api.Client, what: references.ObjectReference) -> None:
    """Delete an object, if there is one."""
    client.delete(_kind(what), what.name, namespace=what.namespace)


def get(client: api.Client, what: references.ObjectReference) -> api.Object | None:
    """Return the object as the cluster has it; None without it, or without its kind."""
    import httpx2

    try:
        return client.get(_kind(what), what.name, namespace=what.namespace)
    except httpx2.HTTPStatusError as error:
        # A server that does not have a kind answers in plain text, as other programs do.
        if error.response.status_code != 404 or what not in references.POLICY:
            raise
        return None


def mark_of(stored: api.Object) -> str:
    """Return the mark of the application that owns an object; empty without one."""
    return annotations_of(stored).get(labels.OWNER, "")


def annotations_of(stored: api.Object) -> dict[str, str]:
    """Return an object's annotations; none where it has no such part."""
    return stored["metadata"].get("annotations") or {}


def _kind(reference: references.ObjectReference) -> Any:
    from lightkube.core.resource_registry import resource_registry

    return cast("Any", resource_registry).load(reference.api_version, reference.kind)

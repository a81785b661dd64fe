# Copyright 2026 Canonical Ltd.
# See LICENSE file for licensing details.

"""The charm's own objects in the cluster: apply, find, change and delete one.

Call every function inside `errors_as_status`.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, cast

import labels
from cluster import api, csa_upgrade, manifests, references
from cluster.errors import CONFLICT_TRIES, Conflict
from errors import Waiting
from owner import Owner
from statuses import waiting

if TYPE_CHECKING:
    from lightkube.types import PatchType


def adopt(client: api.Client, what: references.ObjectReference, stored: api.Object) -> api.Object:
    """Move the fields of client-side apply to our field manager, and return the object then."""
    from lightkube.types import PatchType

    patch = csa_upgrade.patch(stored["metadata"], api.MANAGER)
    return patched(client, what, patch, PatchType.MERGE) if patch else stored


def is_persons(what: references.ObjectReference, mark: str) -> bool:
    """Return whether an object with ``mark`` is a person's.

    The charm marks each of these objects when it makes it, so one without a mark is a person's.
    """
    return not mark and what in (*references.OPTIONAL, *references.KEPT)


def apply(client: api.Client, manifest: manifests.Manifest) -> api.Object:
    """Apply one object server-side, and return it as the cluster has it now.

    Every field of ``manifest`` becomes the charm's. Fields that a `kubectl apply` has set since
    `claim` become so too, and a second apply removes those that the charm does not set.
    Retries if the object changes in between (409), as it does when its controller writes.
    """
    applied = _apply(client, manifest)
    for _ in range(CONFLICT_TRIES):
        with contextlib.suppress(Conflict):
            if adopt(client, manifests.reference(manifest), applied) is applied:
                break
        applied = _apply(client, manifest)
    return applied


def _apply(client: api.Client, manifest: manifests.Manifest) -> api.Object:
    from lightkube.types import PatchType

    reference = manifests.reference(manifest)
    applied = patched(client, reference, manifest, PatchType.APPLY, force=True)
    if applied["metadata"]["name"] != reference.name:
        raise Waiting(waiting.NOT_KUBERNETES())
    return applied


def patched(
    client: api.Client,
    reference: references.ObjectReference,
    body: Mapping[str, Any],
    patch_type: PatchType,
    *,
    force: bool = False,
) -> api.Object:
    """Send a patch, and return the object as it is then."""
    return client.patch(
        _kind(reference),
        reference.name,
        body,
        namespace=reference.namespace,
        patch_type=patch_type,
        force=force,
    )


def merge(
    client: api.Client, what: references.ObjectReference, body: Mapping[str, Any]
) -> api.Object:
    """Change some fields of an object, whoever set them, and return it as it is then."""
    from lightkube.types import PatchType

    return patched(client, what, body, PatchType.MERGE)


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

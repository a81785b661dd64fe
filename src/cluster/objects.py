# SPDX-License-Identifier: Apache-2.0

"""The charm's own objects in the cluster: find one, see whose it is, and delete it.

Call every function inside `errors_as_status`.
"""

from __future__ import annotations

import functools
from typing import Any, cast

from lightkube import generic_resource
from lightkube.core.resource_registry import resource_registry

import labels
from cluster import api, references
from cluster.errors import suppress
from errors import Blocked
from owner import Owner


def get(client: api.Client, what: references.ObjectReference) -> api.Object | None:
    """Return the object as the cluster has it; None without it, or without its kind."""
    with suppress(404, without_kind=what in references.POLICY):
        return client.get(kind(what), what.name, namespace=what.namespace)
    return None


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
    return annotations_of(stored).get(labels.OWNER, "") if stored else ""


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


def part(stored: api.Object, name: str) -> api.Object:
    """Return a part of a mapping; empty if it is no map, as before there was a schema."""
    found = stored.get(name)
    return cast("api.Object", found) if isinstance(found, dict) else {}

# SPDX-License-Identifier: Apache-2.0

"""One change of a mapping or a binding each, made on what it was decided on.

Each may be made twice: one that is made already changes nothing. Where others have changed the
object in between, it raises `Outdated`, and changes nothing either.
"""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Generator
from typing import Any

from lightkube.resources import rbac_authorization_v1 as rbac

from access.mapping import IdentityMapping
from access.rights import RoleBinding, has_own_group
from cluster import api, manifests, objects
from cluster.errors import ApiError, Conflict, suppress
from labels import EXPIRES, OWNER, REASON, SOURCE
from owner import Owner


class Outdated(Exception):
    """A change no longer fits its object, which others have changed or deleted."""


class HalfMadeError(Exception):
    """The server refuses a change after a part of it was made; the cause is its refusal."""

    def __init__(self, refusal: ApiError | Conflict):
        super().__init__(str(refusal))
        self.refusal = refusal


@contextlib.contextmanager
def _half_made() -> Generator[None]:
    try:
        yield
    except (ApiError, Conflict) as refusal:
        raise HalfMadeError(refusal) from refusal


def delete(client: api.Client, mapping: IdentityMapping) -> None:
    """Delete ``mapping``, if it is there, with the finalizers that would keep it: it lets people
    in until it is gone."""
    stored = client.get(objects.mapping(), mapping.name)
    if stored:
        _check_same(stored, mapping)
        version = stored["metadata"]["resourceVersion"]
        objects.remove(client, objects.mapping(), mapping.name, version=version)


def _check_same(stored: api.Object, mapping: IdentityMapping) -> None:
    """Raise `Outdated` if the mapping that is ``stored`` is not the ``mapping`` that was read: a
    list may be moments old."""
    metadata, spec = stored["metadata"], objects.part(stored, "spec")
    is_same = (
        str(spec.get("arn") or "") == mapping.arn
        and objects.part(metadata, "labels").get(SOURCE, "") == mapping.source
        and objects.part(metadata, "annotations").get(EXPIRES, "") == mapping.expires
    )
    if not is_same:
        raise Outdated


def replace(
    client: api.Client,
    owner: Owner,
    old: IdentityMapping,
    new: IdentityMapping,
    stuck: Collection[str],
) -> None:
    """Delete ``old`` and create ``new``, as `create` does."""
    with contextlib.suppress(Outdated):
        # What has the name by now may be the new one, and `create` meets what others have made.
        delete(client, old)
    with _half_made():
        create(client, owner, new, stuck)


def create(
    client: api.Client, owner: Owner, mapping: IdentityMapping, stuck: Collection[str]
) -> None:
    """Create a mapping with its status: the authenticator writes that of five a second.

    Leave one with its own group to the next hook if its name is among those that are ``stuck``: a
    binding to that group is to go, and is still there.

    To replace the status costs the server a fifth less than to patch it. Patch it if the mapping
    has changed since: the authenticator may write the status too.
    """
    if mapping.name in stuck and has_own_group(mapping):
        raise Outdated
    created = _created(client, manifests.identity_mapping(owner, mapping))
    with _half_made():
        if created["spec"]["arn"] == mapping.arn:
            status = {**created, "status": {"canonicalARN": mapping.canonical}}
            with contextlib.suppress(Conflict):
                client.update(objects.mapping().Status, mapping.name, status)
                return
        set_status(client, mapping)


def _created(client: api.Client, manifest: manifests.Manifest) -> api.Object:
    """Create a mapping, and return it. It may be there already, where an answer was lost."""
    try:
        return client.create(objects.mapping(), manifest)
    except Conflict:
        stored = client.get(objects.mapping(), manifest["metadata"]["name"])
        end = manifest["metadata"]["annotations"].get(EXPIRES)
        if not stored or not _is_made(stored, manifest, "spec"):
            raise
        if objects.annotations_of(stored).get(EXPIRES) != end:
            raise
        return stored


def update(
    client: api.Client,
    owner: Owner,
    old: IdentityMapping,
    new: IdentityMapping,
    stuck: Collection[str],
) -> None:
    """Change one mapping, but give none that is ``stuck`` its own group, as `create` has it."""
    if new.name in stuck and has_own_group(new) and not has_own_group(old):
        raise Outdated
    stored = client.get(objects.mapping(), old.name)
    if not stored:
        raise Outdated
    _check_same(stored, old)
    change = {
        "metadata": {
            "resourceVersion": stored["metadata"]["resourceVersion"],
            "labels": {SOURCE: new.source},
            "annotations": {
                OWNER: owner.mark,
                EXPIRES: new.expires or None,
                REASON: new.reason or None,
            },
        },
        "spec": {"arn": new.arn, "username": new.username, "groups": list(new.groups)},
    }
    client.patch(objects.mapping(), new.name, change)
    if old.canonical != new.canonical:
        with _half_made():
            set_status(client, new)


def set_status(client: api.Client, mapping: IdentityMapping) -> None:
    """Write ``status.canonicalARN``, unless the mapping has another ARN by now."""
    client.patch(
        objects.mapping().Status,
        mapping.name,
        [
            {"op": "test", "path": "/spec/arn", "value": mapping.arn},
            {"op": "add", "path": "/status", "value": {"canonicalARN": mapping.canonical}},
        ],
    )


def bind(client: api.Client, owner: Owner, binding: RoleBinding) -> None:
    """Create a binding. A name belongs to one of the charm's, so whatever else has it goes."""
    manifest = manifests.role_binding(owner, binding)
    resource, namespace = _place(binding)
    try:
        client.create(resource, manifest, namespace=namespace)
    except Conflict:
        stored = client.get(resource, binding.name, namespace=namespace)
        if stored and _is_made(stored, manifest, "roleRef", "subjects"):
            return
        with _half_made():
            delete_binding(client, binding)
            client.create(resource, manifest, namespace=namespace)


def _is_made(stored: api.Object, wanted: manifests.Manifest, *parts: str) -> bool:
    """Return whether the object that is ``stored`` is the one that is ``wanted``, by ``parts``."""
    found, metadata = stored["metadata"], wanted["metadata"]
    return (
        "deletionTimestamp" not in found
        and all(stored.get(part) == wanted[part] for part in parts)
        and metadata["labels"].items() <= objects.part(found, "labels").items()
        and metadata["annotations"].items() <= objects.annotations_of(stored).items()
    )


def unbind(client: api.Client, binding: RoleBinding, decided: IdentityMapping | None) -> None:
    """Delete a binding, if it is there, unless its mapping is not as it was ``decided`` on.

    Another unit may just be granting the role again.
    """
    stored = None
    # Without the CRD there is no mapping.
    with suppress(404, without_kind=True):
        if name := binding.mapping:
            stored = client.get(objects.mapping(), name)
    if stored:
        groups = objects.part(stored, "spec").get("groups")
        if not decided or tuple(groups or ()) != decided.groups:
            raise Outdated
        _check_same(stored, decided)
    delete_binding(client, binding)


def delete_binding(client: api.Client, binding: RoleBinding) -> None:
    """Delete a binding of this version, or of any version if none is known.

    It counts until it is gone. By a finalizer, whoever may write bindings in a namespace could
    keep even one of a role that they may not bind. So this takes the finalizers out.
    """
    resource, namespace = _place(binding)
    objects.remove(client, resource, binding.name, namespace=namespace, version=binding.version)


def _place(binding: RoleBinding) -> tuple[type[Any], str | None]:
    """Return the class of a binding, and its namespace if it has one."""
    if not binding.namespace:
        return rbac.ClusterRoleBinding, None
    return rbac.RoleBinding, binding.namespace

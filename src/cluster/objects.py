# Copyright 2026 Canonical Ltd.
# See LICENSE file for licensing details.

"""The charm's own objects in the cluster: apply them, read them, remove them.

Call every function inside `api.errors_as_status`.
"""

from __future__ import annotations

import base64
import contextlib
import dataclasses
from collections.abc import Generator, Iterable, Mapping
from typing import TYPE_CHECKING, Any, cast

from certificates.keypair import KeyPair
from cluster import api, csa_upgrade, manifests
from errors import Blocked, Waiting
from juju.proxies import Proxies
from owner import Owner

if TYPE_CHECKING:
    from lightkube.types import PatchType

# After these tries another hook changes what others kept changing.
CONFLICT_TRIES = 5
# What removal keeps of its time: for the last answer about mappings, and for the Service.
LAST_SECONDS = api.WRITE_SECONDS + 1.0


def claim(client: api.Client, owner: Owner) -> str:
    """Make ``owner`` the owner of the objects, unless another application owns them.

    Return that application's mark, or the empty text. Objects without a mark have no owner: the
    reactive charm made them, or an earlier version of this charm. Where there is no Service, its
    apply makes ``owner`` the owner. If two applications create it at once, the later apply wins,
    and the other application sees that before it has a certificate to deploy.
    """
    for _ in range(CONFLICT_TRIES):
        service = find(client, manifests.SERVICE)
        if not service:
            return ""
        if mark := mark_of(service):
            return mark if owner.is_foreign(mark) else ""
        with _unless_changed():
            _take(client, service, owner)
    raise Waiting("waiting for others to stop changing the authenticator's objects")


def is_owned(client: api.Client, owner: Owner) -> bool:
    """Return whether ``owner`` owns the objects."""
    service = find(client, manifests.SERVICE)
    return bool(service) and owner.owns(mark_of(service))


def _take(client: api.Client, service: api.Object, owner: Owner) -> None:
    """Move all that `kubectl apply` set to our field manager, then mark ``service``.

    Each object's one apply then also removes the fields that the charm does not set, so pods are
    replaced once. The Service is marked last, so the next hook goes on if this one dies here.

    Raises:
        lightkube.ApiError: an object has changed since it was read (409), among other causes.
    """
    from lightkube.types import PatchType

    for what in manifests.OWNED:
        if what == manifests.SERVICE or not (stored := find(client, what)):
            continue
        if not _is_persons(what, mark_of(stored)):
            _adopt(client, what, stored)
    service = _adopt(client, manifests.SERVICE, service)
    manifest = manifests.service(owner, service["spec"].get("clusterIP"))
    manifest["metadata"]["resourceVersion"] = service["metadata"]["resourceVersion"]
    _patch(client, manifests.SERVICE, manifest, PatchType.APPLY, force=True)


def _adopt(client: api.Client, what: manifests.ObjectReference, stored: api.Object) -> api.Object:
    """Move the fields of client-side apply to our field manager, and return the object then."""
    from lightkube.types import PatchType

    patch = csa_upgrade.patch(stored["metadata"], api.MANAGER)
    return _patch(client, what, patch, PatchType.MERGE) if patch else stored


def _is_persons(what: manifests.ObjectReference, mark: str) -> bool:
    """Return whether an object with ``mark`` is a person's.

    The charm marks each optional object when it makes it, so one without a mark is a person's.
    """
    return not mark and what in manifests.OPTIONAL


@contextlib.contextmanager
def _unless_changed() -> Generator[None]:
    """Suppress a conflict (409): the object has changed since it was read."""
    from lightkube import ApiError

    try:
        yield
    except ApiError as error:
        if error.status.code != 409:
            raise


def apply(client: api.Client, manifest: manifests.Manifest) -> api.Object:
    """Apply one object server-side, and return it as the cluster has it now.

    Every field of ``manifest`` becomes the charm's. Fields that a `kubectl apply` has set since
    `claim` become so too, and a second apply removes those that the charm does not set.
    Retries if the object changes in between (409), as it does when its controller writes.
    """
    applied = _apply(client, manifest)
    for _ in range(CONFLICT_TRIES):
        with _unless_changed():
            if _adopt(client, manifests.reference(manifest), applied) is applied:
                break
        applied = _apply(client, manifest)
    return applied


def _apply(client: api.Client, manifest: manifests.Manifest) -> api.Object:
    from lightkube.types import PatchType

    reference = manifests.reference(manifest)
    applied = _patch(client, reference, manifest, PatchType.APPLY, force=True)
    if applied["metadata"]["name"] != reference.name:
        raise Waiting(api.NOT_KUBERNETES)
    return applied


def _patch(
    client: api.Client,
    reference: manifests.ObjectReference,
    body: Mapping[str, Any],
    patch_type: PatchType,
    *,
    force: bool = False,
) -> api.Object:
    return client.patch(
        _kind(reference),
        reference.name,
        body,
        namespace=reference.namespace,
        patch_type=patch_type,
        force=force,
    )


def merge(
    client: api.Client, what: manifests.ObjectReference, body: Mapping[str, Any]
) -> api.Object:
    """Change some fields of an object, whoever set them, and return it as it is then."""
    from lightkube.types import PatchType

    return _patch(client, what, body, PatchType.MERGE)


@dataclasses.dataclass(frozen=True)
class Stored:
    """What Secret aws-iam-certs has.

    Attributes:
        pair: The pair that the pods serve; None without one.
        proxies: The URLs of proxies by their keys. They may hold credentials.
    """

    pair: KeyPair | None = None
    proxies: Mapping[str, str] = dataclasses.field(default_factory=dict[str, str], repr=False)


def stored(client: api.Client) -> Stored:
    """Return what the Secret in the cluster has."""
    secret = find(client, manifests.SECRET)
    if not secret:
        return Stored()
    try:
        data = {key: _decoded(text) for key, text in _data(secret).items()}
    except ValueError:
        # Somebody else wrote this Secret, and the next apply replaces it.
        return Stored()
    proxies = {key: url for key, url in data.items() if manifests.PROXY_KEY in key}
    # The reactive charm's Secret has no CA, and others could read its key, so a new pair is used.
    if not all(data.get(name) for name in ("cert.pem", "key.pem", "ca.pem")):
        return Stored(None, proxies)
    return Stored(KeyPair(data["cert.pem"], data["key.pem"], data["ca.pem"]), proxies)


def deployed_proxies(client: api.Client, stored: Stored) -> Proxies:
    """Return the proxies that the pods use, by the Deployment in the cluster."""
    deployment = find(client, manifests.DEPLOYMENT)
    environment: dict[str, api.Object] = {
        variable["name"]: variable
        for container in containers(deployment)
        for variable in container.get("env") or ()
    }
    urls = {
        name: stored.proxies[key]
        for name in ("HTTP_PROXY", "HTTPS_PROXY")
        if (key := _secret_key(environment.get(name, {}))) in stored.proxies
    }
    return Proxies(urls, environment.get("NO_PROXY", {}).get("value", ""))


def containers(deployment: api.Object | None) -> list[api.Object]:
    """Return the containers of a Deployment's pods; none without a Deployment."""
    return deployment["spec"]["template"]["spec"]["containers"] if deployment else []


def _secret_key(variable: api.Object) -> str:
    source: api.Object = variable.get("valueFrom", {})
    reference: api.Object = source.get("secretKeyRef", {})
    return reference.get("key", "")


def stored_credentials(client: api.Client, owner: Owner) -> str:
    """Return the content of the pull secret in the cluster; empty without one of ``owner``.

    Raises:
        errors.Blocked: the Secret of that name is a person's.
    """
    secret = find(client, manifests.PULL_SECRET)
    if not secret:
        return ""
    if _is_persons(manifests.PULL_SECRET, mark_of(secret)):
        raise Blocked(manifests.PERSONS_PULL_SECRET)
    if not owner.owns(mark_of(secret)):
        return ""
    try:
        return _decoded(_data(secret).get(".dockerconfigjson", ""))
    except ValueError:
        # Somebody else wrote this content, and no registry takes it.
        return ""


def _decoded(text: str) -> str:
    return base64.b64decode(text).decode()


def _data(secret: api.Object) -> dict[str, str]:
    return secret.get("data") or {}


def prune(client: api.Client, owner: Owner, desired: Iterable[manifests.Manifest]) -> None:
    """Delete the objects of ``owner`` that an option asked for and no longer does."""
    wanted = {manifests.reference(manifest) for manifest in desired}
    for what in manifests.OPTIONAL:
        if what in wanted:
            continue
        stored = find(client, what)
        if stored and owner.owns(mark_of(stored)):
            delete(client, what)


def remove(client: api.Client, owner: Owner) -> None:
    """Delete all that ``owner`` owns: never the CRD and people's mappings.

    Delete objects without a mark too, unless another application owns any of the objects: its
    leader may be about to mark the others. Leave a person's alone.

    The mappings that the charm made belong to the Service's owner, so the Service goes after them.
    The authenticator goes before them: if there is no time for all of them, nobody logs in.
    A Service that `kept_service.keep` has kept stays.

    Raises:
        errors.Waiting: there was no time to delete all mappings.
    """
    from cluster.mappings import of_option

    found = {what: find(client, what) for what in manifests.OWNED}
    marks = {what: mark_of(stored) for what, stored in found.items() if stored}
    shared = any(owner.is_foreign(mark) for mark in marks.values())
    owned = [
        what
        for what, mark in marks.items()
        if owner.owns(mark) or (not mark and not _is_persons(what, mark) and not shared)
    ]
    for what in owned:
        if what != manifests.SERVICE:
            delete(client, what)
    client.prolong()
    is_foreign = owner.is_foreign(marks.get(manifests.SERVICE, ""))
    complete = is_foreign or of_option.delete_all(client, client.seconds_left - LAST_SECONDS)
    if not is_foreign:
        _delete_extra_services(client, owner)
    if manifests.SERVICE in owned and not _is_kept(found[manifests.SERVICE]):
        delete(client, manifests.SERVICE)
    if not complete:
        raise Waiting("there was no time to delete all mappings that the charm made")


def _delete_extra_services(client: api.Client, owner: Owner) -> None:
    from lightkube.resources.core_v1 import Service

    labels = manifests.LABELS
    for service in client.list(Service, namespace=manifests.NAMESPACE, labels=labels):
        metadata: Any = service.metadata
        annotations: dict[str, str] = metadata.annotations or {}
        name: str = metadata.name
        if name != manifests.NAME and owner.owns(annotations.get(manifests.OWNER, "")):
            delete(client, dataclasses.replace(manifests.SERVICE, name=name))


def delete(client: api.Client, what: manifests.ObjectReference) -> None:
    """Delete an object, if there is one."""
    from lightkube import ApiError

    try:
        client.delete(_kind(what), what.name, namespace=what.namespace)
    except ApiError as error:
        if error.status.code != 404:
            raise


def find(client: api.Client, what: manifests.ObjectReference) -> api.Object | None:
    """Return the object as the cluster has it; None without it, or without its kind."""
    import httpx2
    from lightkube import ApiError

    try:
        return client.get(_kind(what), what.name, namespace=what.namespace)
    except httpx2.HTTPStatusError as error:
        # A server that does not have a kind answers in plain text, as other programs do.
        is_servers = isinstance(error, ApiError) or what in manifests.POLICY
        if error.response.status_code != 404 or not is_servers:
            raise
        return None


def denies_mappings(client: api.Client) -> bool:
    """Return whether the cluster denies mappings to more than their writer may impersonate."""
    binding, policy = (find(client, what) for what in manifests.POLICY)
    if not binding or not policy:
        return False
    actions: list[str] = binding["spec"].get("validationActions") or []
    return "Deny" in actions


def mark_of(stored: api.Object) -> str:
    """Return the mark of the application that owns an object; empty without one."""
    return _annotations(stored).get(manifests.OWNER, "")


def _is_kept(service: api.Object | None) -> bool:
    """Return whether a Service stays for a control plane that still sends logins to it.

    Others may set the annotation of one that still has pods.
    """
    if not service or service["spec"].get("selector"):
        return False
    return manifests.KEPT_FOR in _annotations(service)


def _annotations(stored: api.Object) -> dict[str, str]:
    return stored["metadata"].get("annotations") or {}


def _kind(reference: manifests.ObjectReference) -> Any:
    from lightkube.core.resource_registry import resource_registry

    return cast("Any", resource_registry).load(reference.api_version, reference.kind)

"""The cluster's objects, by lightkube: apply, look, remove.

Every function takes an open client, and is called inside `api.answering`.
"""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from access.mappings import Mapping as IAMMapping
from cluster import api, csa_upgrade, manifests
from errors import Waiting

if TYPE_CHECKING:
    from lightkube import Client

POLL_SECONDS = 0.5
# What is not taken over by then, another hook takes over.
TAKEOVER_TRIES = 5
# Minor version from which stored objects that break a new rule can still be written.
RATCHETING_SINCE = (1, 30)
_NOT_SERVED = "waiting for the Kubernetes API to serve IAMIdentityMapping"
_MINOR = re.compile(r"v(\d+)\.(\d+)")


def apply(client: Client, manifest: manifests.Manifest) -> Any:
    """Server-side apply of one object; every field of it becomes the charm's. The object
    as the cluster has it now.

    Fields that `kubectl apply` left in it are taken over, and go with the next apply. Whoever
    changes the object in between, as its controller does, makes that begin anew.
    """
    applied = _apply(client, manifest)
    for _ in range(TAKEOVER_TRIES):
        adoption = csa_upgrade.patch(applied.metadata.to_dict(), api.MANAGER)
        if not adoption:
            break
        _adopt(client, manifest, adoption)
        applied = _apply(client, manifest)
    return applied


def _apply(client: Client, manifest: manifests.Manifest) -> Any:
    from lightkube.types import PatchType

    kind, name, namespace = _identity(manifest)
    applied = client.patch(
        kind, name, manifest, namespace=namespace, patch_type=PatchType.APPLY, force=True
    )
    if not applied.metadata or applied.metadata.name != name:
        raise Waiting(api.NO_API_SERVER)
    return applied


def _adopt(client: Client, manifest: manifests.Manifest, adoption: csa_upgrade.Patch) -> None:
    from lightkube import ApiError
    from lightkube.types import PatchType

    kind, name, namespace = _identity(manifest)
    try:
        client.patch(kind, name, adoption, namespace=namespace, patch_type=PatchType.MERGE)
    except ApiError as error:
        if error.status.code != 409:
            raise


def apply_service(client: Client, address: str | None) -> str:
    """Apply the Service, asking for ``address`` when it has to be made anew; the ClusterIP
    that it has."""
    from lightkube import ApiError

    try:
        found = apply(client, manifests.service(address)).spec.clusterIP
    except ApiError as error:
        # Taken by another Service since, or not of this cluster's range (422); or the
        # Service is there with another one, and a ClusterIP cannot be changed.
        if not address or error.status.code != 422:
            raise
        found = apply(client, manifests.service(None)).spec.clusterIP
    if found != address:
        # Asked for from now on, so that the next hook has nothing to change.
        apply(client, manifests.service(found))
    return found


def apply_mapping_definition(client: Client) -> None:
    """Apply the CRD, with the rules that the server can have, and wait until it is there."""
    from lightkube.resources.apiextensions_v1 import CustomResourceDefinition

    manifest = manifests.mapping_definition(strict=_ratchets(client))
    definition = apply(client, manifest)
    deadline = time.monotonic() + api.ANSWER_SECONDS
    while not _established(definition):
        if time.monotonic() > deadline:
            raise Waiting(_NOT_SERVED)
        time.sleep(POLL_SECONDS)
        definition = client.get(CustomResourceDefinition, manifest["metadata"]["name"])


def _established(definition: Any) -> bool:
    conditions = (definition.status and definition.status.conditions) or []
    return any(c.type == "Established" and c.status == "True" for c in conditions)


def _ratchets(client: Client) -> bool:
    """Whether the server takes stored objects that break a new rule. A node's kubelet is
    never newer than the server, so any node's version is the safe side."""
    from lightkube.resources.core_v1 import Node

    node = next(iter(client.list(Node, chunk_size=1)), None)
    info = node.status.nodeInfo if node and node.status else None
    version = _MINOR.match(info.kubeletVersion) if info else None
    return bool(version) and (int(version[1]), int(version[2])) >= RATCHETING_SINCE


def current_bundle(client: Client) -> manifests.Bundle | None:
    """What the pods serve with, by the Secret in the cluster; None where there is none."""
    import base64

    from lightkube import ApiError
    from lightkube.resources.core_v1 import Secret

    try:
        secret = client.get(Secret, manifests.SECRET, namespace=manifests.NAMESPACE)
    except ApiError as error:
        if error.status.code == 404:
            return None
        raise
    try:
        data = {key: base64.b64decode(text).decode() for key, text in (secret.data or {}).items()}
    except ValueError:
        # Not this charm's, or no longer: it will be again.
        return None
    # The predecessor's has no authority, and a key that others have read: it is not used again.
    if not all(data.get(name) for name in ("cert.pem", "key.pem", "ca.pem")):
        return None
    return manifests.Bundle(data["cert.pem"], data["key.pem"], data["ca.pem"])


def list_mappings(client: Client) -> list[IAMMapping]:
    """Every IAMIdentityMapping of the cluster."""
    return [
        IAMMapping(
            name=item["metadata"]["name"],
            arn=_field(item, "spec", "arn"),
            canonical=_field(item, "status", "canonicalARN"),
        )
        for item in _mapping_items(client)
    ]


def _field(item: Any, part: str, name: str) -> str:
    # Stored before there was a schema, a mapping can hold anything.
    values = item.get(part)
    return str(values.get(name, "")) if isinstance(values, dict) else ""


def _mapping_items(client: Client) -> list[Any]:
    """The objects, once the server has got its storage ready: for about a second after the
    CRD came or changed it answers 429, and another of several servers 404."""
    import httpx2

    deadline = time.monotonic() + api.ANSWER_SECONDS
    while True:
        try:
            return list(client.list(_mapping_kind()))
        except httpx2.HTTPStatusError as error:
            if error.response.status_code not in (404, 429):
                raise
            if time.monotonic() > deadline:
                raise Waiting(_NOT_SERVED) from error
        time.sleep(POLL_SECONDS)


def correct_mappings(client: Client, corrections: Mapping[str, str]) -> None:
    """Write ``status.canonicalARN`` of the mappings named, so that they work at once and
    not when the authenticator's own queue gets to them."""
    from lightkube import ApiError
    from lightkube.types import PatchType

    for name, canonical in corrections.items():
        try:
            client.patch(
                _mapping_kind().Status,
                name,
                {"status": {"canonicalARN": canonical}},
                patch_type=PatchType.MERGE,
            )
        except ApiError as error:
            # Deleted since, or a mapping that this server lets nobody write.
            if error.status.code not in (404, 409, 422):
                raise


def remove(client: Client) -> None:
    """Delete everything that the charm applied, but for the CRD and people's mappings."""
    from lightkube import ApiError

    placeholder = manifests.Bundle("-", "-", "-")
    objects = manifests.authenticator(image="-", replicas=0, cluster_id="-", served=placeholder)
    for manifest in (*reversed(objects), manifests.service(None)):
        kind, name, namespace = _identity(manifest)
        try:
            client.delete(kind, name, namespace=namespace)
        except ApiError as error:
            if error.status.code != 404:
                raise


def _identity(manifest: manifests.Manifest) -> tuple[Any, str, str | None]:
    from lightkube.core.resource_registry import resource_registry

    kind = resource_registry.load(manifest["apiVersion"], manifest["kind"])
    metadata = manifest["metadata"]
    return kind, metadata["name"], metadata.get("namespace")


def _mapping_kind() -> Any:
    from lightkube.generic_resource import create_global_resource

    return create_global_resource(
        "iamauthenticator.k8s.aws", "v1alpha1", "IAMIdentityMapping", "iamidentitymappings"
    )

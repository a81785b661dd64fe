"""The charm's own objects in the cluster: apply them, read them, remove them.

Call every function inside `api.errors_as_status`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

from addresses import is_ip
from certificates.keypair import KeyPair
from cluster import api, csa_upgrade, manifests
from errors import Blocked, Waiting

if TYPE_CHECKING:
    from lightkube.types import PatchType

# After these tries another hook moves the fields that are not ours yet.
UPGRADE_TRIES = 5


def apply(client: api.Client, manifest: manifests.Manifest) -> Any:
    """Apply one object server-side, and return it as the cluster has it now.

    Every field of ``manifest`` becomes the charm's. Fields that `kubectl apply` left in the
    object become so too, and the next apply removes those that the charm does not set.
    Retries if the object changes in between (409), as it does when its controller writes.
    """
    applied = _apply(client, manifest)
    for _ in range(UPGRADE_TRIES):
        patch = csa_upgrade.patch(applied.metadata.to_dict(), api.MANAGER)
        if not patch:
            break
        _upgrade(client, manifest, patch)
        applied = _apply(client, manifest)
    return applied


def _apply(client: api.Client, manifest: manifests.Manifest) -> Any:
    from lightkube.types import PatchType

    reference = manifests.reference(manifest)
    applied = _patch(client, reference, manifest, PatchType.APPLY, force=True)
    if not applied.metadata or applied.metadata.name != reference.name:
        raise Waiting(api.NOT_KUBERNETES)
    return applied


def _upgrade(client: api.Client, manifest: manifests.Manifest, patch: csa_upgrade.Patch) -> None:
    from lightkube import ApiError
    from lightkube.types import PatchType

    try:
        _patch(client, manifests.reference(manifest), patch, PatchType.MERGE)
    except ApiError as error:
        if error.status.code != 409:
            raise


def _patch(
    client: api.Client,
    reference: manifests.ObjectReference,
    body: Mapping[str, Any],
    patch_type: PatchType,
    *,
    force: bool = False,
) -> Any:
    return client.patch(
        _kind(reference),
        reference.name,
        body,
        namespace=reference.namespace,
        patch_type=patch_type,
        force=force,
    )


def apply_service(client: api.Client, address: str | None) -> str:
    """Apply the Service and return its ClusterIP: ``address``, unless it cannot have that."""
    from lightkube import ApiError

    try:
        found = _cluster_ip(apply(client, manifests.service(address)))
    except ApiError as error:
        # 422: another Service has the address by now, or it is outside of the cluster's range;
        # or our Service has another address, which Kubernetes does not let us change.
        if not address or error.status.code != 422:
            raise
        found = _cluster_ip(apply(client, manifests.service(None)))
    if found != address:
        # The address is part of what is applied from now on, so the next hook changes nothing.
        apply(client, manifests.service(found))
    return found


def _cluster_ip(service: Any) -> str:
    found: str | None = service.spec.clusterIP
    if found == "None":
        raise Blocked(
            f"Service {manifests.NAME} is headless: if nobody else needs it, run: "
            f"kubectl -n {manifests.NAMESPACE} delete service {manifests.NAME}"
        )
    if not found or not is_ip(found):
        raise Waiting(
            f"waiting for the Kubernetes API to give Service {manifests.NAME} a ClusterIP"
        )
    return found


def current_pair(client: api.Client) -> KeyPair | None:
    """Return the pair that the pods serve, by the Secret in the cluster; None without one."""
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
        data = {key: base64.b64decode(text).decode() for key, text in _data(secret).items()}
    except ValueError:
        # Somebody else wrote this Secret, and the next apply replaces it.
        return None
    # The reactive charm's Secret has no CA, and others could read its key, so a new pair is used.
    if not all(data.get(name) for name in ("cert.pem", "key.pem", "ca.pem")):
        return None
    return KeyPair(data["cert.pem"], data["key.pem"], data["ca.pem"])


def _data(secret: Any) -> dict[str, str]:
    return secret.data or {}


def remove(client: api.Client) -> None:
    """Delete all that the charm owns: everything but the CRD and people's mappings."""
    from lightkube import ApiError

    for reference in manifests.OWNED:
        try:
            client.delete(_kind(reference), reference.name, namespace=reference.namespace)
        except ApiError as error:
            if error.status.code != 404:
                raise


def _kind(reference: manifests.ObjectReference) -> Any:
    from lightkube.core.resource_registry import resource_registry

    return cast("Any", resource_registry).load(reference.api_version, reference.kind)

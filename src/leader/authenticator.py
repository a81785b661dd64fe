# SPDX-License-Identifier: Apache-2.0

"""The authenticator in the cluster: whose it is, what it is to be, and how far that is.

Call every function inside `errors_as_status`.
"""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING

from cluster import (
    api,
    crd,
    manifests,
    objects,
    pods,
    references,
    services,
)
from cluster.errors import errors_as_status
from config import Config
from errors import Blocked, Unready, collected
from owner import Owner
from statuses import options

if TYPE_CHECKING:
    from hook import Hook


def claim(hook: Hook, client: api.Client) -> api.Object | None:
    """Claim the authenticator's objects. Return the Service, if there is one. Raise
    `errors.Blocked` if another application owns them.

    The Service's mark says whose all of them are. Without a mark, they are the reactive charm's,
    or what a removal kept. Where there is no Service, `apply_service` makes one. If two
    applications create it at once, the later apply wins, and the other application sees that
    before it has a certificate to deploy.
    """
    service = objects.get(client, references.SERVICE)
    what, mark = objects.claimed(client, service)
    if hook.owner.is_foreign(mark):
        # Tell our units to stop writing the file: the owner's units write it.
        hook.peers.change(ca="", serving=False)
        raise Blocked(references.foreign(mark, what))
    if mark or not service:
        return service
    address = services.cluster_ip(service)
    service = objects.take_over(client, references.SERVICE, service)
    if objects.mark_of(service):
        # Another application was faster.
        return claim(hook, client)
    manifest = services.manifest(client, hook.owner, address)
    manifest["metadata"]["resourceVersion"] = service["metadata"]["resourceVersion"]
    return objects.apply(client, manifest, service)


def apply_service(
    hook: Hook, client: api.Client, config: Config, service: api.Object | None
) -> None:
    """Apply the Service, and share its address."""
    shared, chosen = hook.peers.shared, config.webhook_address
    address = services.apply(client, hook.owner, chosen, shared.address, service)
    hook.peers.change(address=address)
    if chosen and ipaddress.ip_address(chosen) != ipaddress.ip_address(address):
        kept = options.ADDRESS_FIXED(application=hook.owner.application, address=address)
        hook.problems.append(Blocked(kept))


def define_mappings(client: api.Client, owner: Owner, config: Config) -> None:
    """Apply the CRD, and on Kubernetes 1.30 and newer the policy on who may write mappings.

    The policy comes first: as soon as the CRD is there, anyone who may write mappings could make
    themselves an administrator.
    """
    if not crd.ratchets(client):
        crd.apply(client, config.partition, strict=False)
        return
    for manifest in manifests.mapping_policy(owner, config.mapping_policy):
        objects.apply(client, manifest)
    crd.apply(client, config.partition, strict=True)


def deploy(
    client: api.Client,
    owner: Owner,
    spec: manifests.Spec,
    secret: api.Object | None,
    refused: list[Unready],
) -> pods.Rollout:
    """Apply the authenticator that ``spec`` describes, and wait for its pods.

    ``secret`` is the Secret as this hook has read it. What keeps one object from being applied is
    added to ``refused``, and keeps back no other. The Deployment alone needs some of them: new
    pods read the Secret and the ConfigMap.

    A former pod reads the same two when it restarts, and mounts keys that are named after their
    contents. So all their keys stay until the rollout is complete.

    Return how far the rollout is when the wait ends.
    """
    *others, deployment = manifests.authenticator(owner, spec)
    applied = dict[references.ObjectReference, api.Object]()
    for manifest in others:
        what = manifests.reference(manifest)
        known = secret if what == references.SECRET else None
        with collected(refused), errors_as_status(what.text):
            applied[what] = objects.apply(client, manifest, known, keep_data=True)
    found, stored = None, objects.get(client, references.DEPLOYMENT)
    read = {manifests.reference(manifest): manifest for manifest in others if "data" in manifest}
    if read.keys() <= applied.keys():
        with collected(refused), errors_as_status(references.DEPLOYMENT.text):
            found = objects.apply(client, deployment, stored)
    found = found or stored
    if not found:
        raise refused[0]
    rollout = pods.progress(found) if found is stored else pods.await_rollout(client, found)
    if rollout.complete and not refused:
        for what, manifest in read.items():
            with collected(refused), errors_as_status(what.text):
                objects.apply(client, manifest, applied[what])
    return rollout

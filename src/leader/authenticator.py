# SPDX-License-Identifier: Apache-2.0

"""The authenticator in the cluster: whose it is, what it is to be, and how far that is.

Call every function inside `errors_as_status`.
"""

from __future__ import annotations

import ipaddress
import os
from typing import TYPE_CHECKING

from lightkube.resources.rbac_authorization_v1 import ClusterRoleBinding, RoleBinding

from access.declaration.entry import is_object_name
from certificates.keypair import KeyPair
from cluster import (
    answers,
    api,
    contents,
    crd,
    manifests,
    objects,
    pods,
    references,
    services,
    sync,
)
from cluster.errors import errors_as_status, retry_on_conflict
from config import Config
from errors import Blocked, Unready, collected
from juju import proxies
from juju.extra_cas import Trust
from labels import OWNER
from owner import Owner
from statuses import options, waiting

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
    return retry_on_conflict(lambda: _claimed(hook, client), waiting.OTHERS_CHANGE())


def _claimed(hook: Hook, client: api.Client) -> api.Object | None:
    service = objects.get(client, references.SERVICE)
    what, mark = objects.claimed(client, service)
    if hook.owner.is_foreign(mark):
        # Tell our units to stop writing the file: the owner's units write it.
        hook.peers.change(ca="", serving=False)
        raise Blocked(references.foreign(mark, what))
    if service and mark:
        return service
    if not mark:
        _inherit(client, hook.owner)
    if not service:
        return None
    address = services.cluster_ip(service)
    service = sync.adopt(client, references.SERVICE, service)
    manifest = services.manifest(client, hook.owner, address)
    manifest["metadata"]["resourceVersion"] = service["metadata"]["resourceVersion"]
    return sync.apply(client, manifest, service)


def _inherit(client: api.Client, owner: Owner) -> None:
    """Mark as ``owner``'s the bindings that a former owner has made for mappings.

    Otherwise a new mapping of an old name would get the role of the old binding.
    """
    change = {"metadata": {"annotations": {OWNER: owner.mark}}}
    for kind in (ClusterRoleBinding, RoleBinding):
        for each in client.list(kind, answers.Marked, labels=references.LABEL, newest=True):
            found = each.metadata
            is_marked = owner.is_foreign(found.annotations.get(OWNER, ""))
            if not is_marked or not is_object_name(found.name):
                continue
            try:
                with errors_as_status():
                    client.patch(kind, found.name, change, namespace=found.namespace or None)
            except Blocked:
                # An editor of its namespace may have made one that nobody can change.
                if not found.namespace:
                    raise


def apply_service(
    hook: Hook, client: api.Client, config: Config, service: api.Object | None
) -> None:
    """Apply the Service, and share its address."""
    shared, chosen = hook.peers.shared, config.webhook_address
    address = services.apply(client, hook.owner, chosen, shared.address, service)
    hook.share(address=address)
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
        sync.apply(client, manifest)
    crd.apply(client, config.partition, strict=True)


def spec(
    hook: Hook,
    client: api.Client,
    config: Config,
    pair: KeyPair,
    stored: contents.Stored,
    trusted: Trust,
    problems: list[Unready],
) -> manifests.Spec:
    """Return what the authenticator is to be, which serves ``pair``.

    A proxy that cannot work is added to ``problems``, and those in the cluster stay.
    """
    return manifests.Spec(
        config.deployed_image,
        config.replicas,
        hook.peers.shared.cluster_id,
        pair,
        config.partition,
        proxies=_web_proxies(client, config, stored, problems),
        authorities=trusted.authorities,
        reserves=not crd.ratchets(client),
    )


def _web_proxies(
    client: api.Client, config: Config, stored: contents.Stored, problems: list[Unready]
) -> proxies.Proxies:
    """Return the proxies for the pods.

    If one of the model's cannot work, those that the pods use stay in use.
    """
    if not config.web_proxy_enable:
        return proxies.NO_PROXIES
    with collected(problems):
        return proxies.of_model(os.environ)
    return contents.deployed_proxies(client, stored)


def deploy(
    client: api.Client,
    owner: Owner,
    spec: manifests.Spec,
    stored: contents.Stored,
    problems: list[Unready],
) -> pods.Rollout:
    """Apply the authenticator that ``spec`` describes, and wait for its pods.

    A container of a former pod reads the proxies' former keys when it restarts, so they stay
    until the rollout is complete.

    Without the right to write events and a disruption budget, pods let people in all the same:
    what keeps these from being applied is added to ``problems``.

    Return how far their rollout is when the wait ends.
    """
    desired = manifests.authenticator(owner, spec)
    keeping = [manifests.keep_proxies(manifest, stored.proxies) for manifest in desired]
    known = {references.SECRET: stored.secret}
    *others, deployment = keeping
    for manifest in others:
        what = manifests.reference(manifest)
        if what.namespace != references.EVENTS and what != references.DISRUPTION_BUDGET:
            sync.apply(client, manifest, known.get(what))
            continue
        with collected(problems), errors_as_status():
            sync.apply(client, manifest)
    rollout = pods.await_rollout(client, sync.apply(client, deployment))
    if rollout.complete:
        for manifest, kept in zip(desired, keeping, strict=True):
            if manifest != kept:
                sync.apply(client, manifest)
    return rollout

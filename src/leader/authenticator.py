# SPDX-License-Identifier: Apache-2.0

"""The authenticator in the cluster: whose it is, what it is to be, and how far that is.

Call every function inside `errors_as_status`.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Collection
from typing import TYPE_CHECKING

from lightkube.resources import core_v1 as core

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
from statuses import waiting

if TYPE_CHECKING:
    from hook import Hook

logger = logging.getLogger(__name__)

# Kinds of which the charm has more objects than the one of its own name.
_FURTHER = (core.ConfigMap, core.Secret, core.Service)


def claim(hook: Hook, client: api.Client) -> api.Object | None:
    """Claim the authenticator's objects. Return the Service, if there is one. Raise
    `errors.Blocked` if another application owns them."""
    service = retry_on_conflict(lambda: _owned(client, hook.owner), waiting.OTHERS_CHANGE())
    what, mark = objects.claimed(client, service)
    if hook.owner.is_foreign(mark):
        # Tell our units to stop writing the file: the owner's units write it.
        hook.peers.change(ca="", serving=False)
        raise Blocked(references.foreign(mark, what))
    if not service:
        _inherit(client, hook.owner)
    return service


def _owned(client: api.Client, owner: Owner) -> api.Object | None:
    """Return the Service, whose mark says who owns the objects.

    Objects without a mark are the reactive charm's, and become ``owner``'s. Where there is no
    Service, `apply_service` makes one that has the mark of ``owner``. If two applications create
    it at once, the later apply wins, and the other application sees that before it has a
    certificate to deploy.
    """
    service = objects.get(client, references.SERVICE)
    if service and not objects.mark_of(service):
        address = services.cluster_ip(service)
        _inherit(client, owner)
        service = sync.adopt(client, references.SERVICE, service)
        manifest = services.manifest(client, owner, address)
        manifest["metadata"]["resourceVersion"] = service["metadata"]["resourceVersion"]
        return sync.apply(client, manifest, service)
    return service


def _inherit(client: api.Client, owner: Owner) -> None:
    """Mark as ``owner``'s what a former owner has made beside the objects that are applied
    anyway."""
    for kind in _FURTHER:
        for each in client.list(kind, answers.Marked, labels=references.LABEL, newest=True):
            found, mark = each.metadata, each.metadata.annotations.get(OWNER, "")
            if found.name != references.NAME and owner.is_foreign(mark):
                change = {"metadata": {"annotations": {OWNER: owner.mark}}}
                client.patch(kind, found.name, change, namespace=found.namespace or None)


def apply_service(
    hook: Hook, client: api.Client, config: Config, service: api.Object | None
) -> None:
    """Apply the Service, and share its address, and those that it has lost."""
    shared, chosen = hook.peers.shared, config.webhook_address
    address = services.apply(client, hook.owner, chosen, shared.address, service)
    former = _still_asked(hook, {*shared.former, shared.address} - {"", address})
    lost = frozenset(each for each in former if not services.has(client, each))
    for each in sorted(lost - shared.lost):
        logger.warning("another Service may have %s, which control planes asked so far", each)
    hook.share(address=address, former=former, lost=lost)


def _still_asked(hook: Hook, former: Collection[str]) -> frozenset[str]:
    """Return which of the Service's ``former`` addresses a control plane may still ask."""
    if not former:
        return frozenset()
    asked = hook.all_asked()
    if len(asked) <= len(hook.peers.others):
        # Another unit has yet to say what its control plane asks.
        return frozenset(former)
    return frozenset(former) & {each.address for each in asked}


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

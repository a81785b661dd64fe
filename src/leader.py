# SPDX-License-Identifier: Apache-2.0

"""The leader's steps: the authenticator in the cluster, who may log in, and what to say of it."""

from __future__ import annotations

import base64
import ipaddress
import logging
import os
import secrets
from dataclasses import replace
from typing import TYPE_CHECKING

from lightkube.resources.core_v1 import Node

import cos
import leader_access
from access import partitions
from certificates import KeyPair, ca_bundle
from cluster import api, manifests, objects, pods, references, services
from cluster.errors import errors_as_status
from cluster.pods import Rollout
from config import Config
from errors import Blocked, Unready, bugs_as_status, collected
from juju import proxies, reactive, trust
from juju.peers import Shared
from leader_access import Report
from owner import Owner
from statuses import active, entry, options
from text import counted

if TYPE_CHECKING:
    from hook import Hook

logger = logging.getLogger(__name__)

# How many nodes say where the cluster is. The list of a large cluster has 50 MB.
_NODES = "10"
# The first minor version that lets people write stored objects which break a new rule.
_RATCHETING_SINCE = (1, 30)
# The keys of the Secret that are a `KeyPair`.
_PARTS = ("cert.pem", "key.pem", "ca.pem")


def lead(hook: Hook, config: Config, shared: Shared) -> str:
    """Take the leader's steps: deploy the authenticator, and let in who may log in.

    ``shared`` is what the units share as they begin. Return the line of an active status.

    A problem that does not stop the steps is collected, and the first of these is raised at the
    end: what keeps the pods from serving stands before what keeps somebody from logging in.
    """
    peers, problems = hook.peers, hook.problems
    peers.publish(ensure_cluster_id(shared, config))
    proxied = proxies.of_model(os.environ) if config.web_proxy_enable else proxies.NO_PROXIES
    trusted = trust.receive(hook.charm)
    reported, unbrought = None, list[Unready]()
    with errors_as_status():
        client = hook.client
        service = claim(hook, client)
        with collected(unbrought), errors_as_status():
            define_mappings(client, hook.owner, config)
        # What guards mappings is there before anybody is let in.
        if unbrought and not peers.shared.serving:
            raise unbrought[0]
        with collected(unbrought), errors_as_status():
            # Access that ends goes before anything else that takes time.
            reported = leader_access.bring(hook, client)
        apply_service(hook, client, config, service)
        served, secret = stored_pair(client)
    issued, unissued = None, list[Unready]()
    with collected(unissued), bugs_as_status(hook.charm.unit.name):
        issued = hook.certificates.obtain(served)
    pair = issued.pair if issued else served
    if not pair:
        problems += unbrought
        raise unissued[0]
    # A new authority is trusted beside the old one, until no pod serves with that.
    former = served.ca if served else ""
    peers.change(ca=ca_bundle(peers.shared.ca, former, pair.ca))
    refused = list[Unready]()
    with errors_as_status():
        spec = manifests.Spec(
            config.deployed_image,
            config.replicas,
            peers.shared.cluster_id,
            pair,
            config.partition,
            proxies=proxied,
            authorities=trusted.authorities,
            reserves=not ratchets(client),
        )
        rollout = deploy(client, hook.owner, spec, secret, refused)
        peers.change(serving=peers.shared.serving or rollout.serving)
        hook.tell_version()
        own = pods.find(client)
        is_rolled_out = rollout.complete and not refused
        if peers.shared.ca != pair.ca and is_rolled_out and pods.all_use(own, pair):
            peers.change(ca=pair.ca)
        with collected(problems):
            hook.publish_webhook(peers.shared)
        with collected(problems):
            pods.check_complete(rollout, own)
        cos.publish(hook, own)
        with collected(problems), errors_as_status():
            peers.change(region=_region(client))
    if problem := config.declared.problem:
        problems.append(Blocked(options.MAPPINGS_INVALID(problem=problem), announced=True))
    problems += unbrought
    problems += unissued
    problems += refused
    if problems or not reported:
        raise problems[0]
    # Only a login tells the role of a permission set.
    awaits_role = entry.ROLE_UNKNOWN() in reported.not_applied.values()
    hook.wake.polls |= awaits_role or peers.shared.ca != pair.ca
    return line(
        rollout, reported, issued.warning if issued else "", proxied.remark, trusted.remark
    )


def _region(client: api.Client) -> str:
    """Return the AWS region of the nodes, by some of them; empty if they are elsewhere."""
    found = client.list(Node, limit=_NODES)
    return partitions.of_machines(node["spec"].get("providerID", "") for node in found)


def ensure_cluster_id(shared: Shared, config: Config) -> Shared:
    """Return ``shared`` with the cluster id: the option's, else the one in use, else the
    reactive charm's, else a new one."""
    former = shared.cluster_id
    if not former:
        inherited = reactive.cluster_id()
        chosen = config.cluster_id or inherited or secrets.token_hex(8)
        return replace(shared, cluster_id=chosen, inherited=bool(inherited))
    wanted = config.cluster_id or former
    if wanted != former:
        logger.warning(
            "cluster id changed from %s to %s: people need the new one in their kubeconfig",
            former,
            wanted,
        )
    # Juju commits databags when the hook ends, so the old data is removed in a later hook.
    inherited = shared.inherited and not reactive.remove_leader_data()
    return replace(shared, cluster_id=wanted, inherited=inherited)


def claim(hook: Hook, client: api.Client) -> api.Object | None:
    """Claim the authenticator's objects. Return the Service, if there is one. Raise
    `errors.Blocked` if another application owns them.

    The Service's mark says whose all of them are. Without a mark, they are the reactive charm's,
    or what a removal kept. Where there is no Service, `apply_service` makes one. If two
    applications claim it at once, the later apply wins, and the other application sees that in its
    next hook.
    """
    service = objects.get(client, references.SERVICE)
    what, mark = objects.claimed(client, service)
    if hook.owner.is_foreign(mark):
        # Tell our units to stop writing the file: the owner's units write it.
        hook.peers.change(ca="", serving=False)
        raise Blocked(references.foreign(mark, what))
    if mark or not service:
        return service
    manifest = services.manifest(client, hook.owner, services.cluster_ip(service))
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
    policy = manifests.mapping_policy(owner, config.mapping_policy) if ratchets(client) else []
    definition = manifests.crd(strict=ratchets(client), partition=config.partition)
    for manifest in (*policy, definition):
        objects.apply(client, manifest)


def ratchets(client: api.Client) -> bool:
    """Return whether the server accepts writes of stored objects that break a new rule.

    It has validating admission policies since the same version.
    """
    return client.version >= _RATCHETING_SINCE


def stored_pair(client: api.Client) -> tuple[KeyPair | None, api.Object | None]:
    """Return the pair that the pods serve, and the Secret that has it; None without one."""
    secret = objects.get(client, references.SECRET)
    data: dict[str, str] = (secret or {}).get("data") or {}
    try:
        parts = [base64.b64decode(data[name]).decode() for name in _PARTS]
    except (KeyError, ValueError):
        # The reactive charm's Secret has no CA, and others could read its key, so a new pair is
        # used. What somebody else wrote is replaced too.
        return None, secret
    return KeyPair(*parts), secret


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


def line(rollout: Rollout, report: Report, *remarks: str) -> str:
    """Return the line of an active status: what serves, and then what a person can act on.

    ``remarks`` may be empty. A broken mapping is the last: it may have a command, which people
    copy to the end of the line.
    """
    mappings = counted(report.mappings, "mapping")
    parts = [active.PODS(ready=rollout.ready, wanted=rollout.wanted), mappings]
    if report.left:
        parts.append(active.CHANGES_LEFT(changes=counted(report.left, "change")))
    if report.not_applied:
        place, reason = next(iter(report.not_applied.items()))
        number = len(report.not_applied)
        parts.append(active.NOT_APPLIED(number=number, place=place, reason=reason))
    parts += filter(None, remarks)
    if report.problems:
        name, problem = next(iter(report.problems.items()))
        broken = counted(len(report.problems), "broken mapping")
        parts.append(active.TO_CORRECT(broken=broken, mapping=name, problem=problem))
    return ", ".join(parts)

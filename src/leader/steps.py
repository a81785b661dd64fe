# SPDX-License-Identifier: Apache-2.0

"""The leader's steps: the authenticator in the cluster, who may log in, and what to say of it."""

from __future__ import annotations

import logging
import os
import secrets
from dataclasses import replace
from typing import TYPE_CHECKING

from lightkube.resources.core_v1 import Node

import cos
from access import partitions
from certificates import ca_bundle
from cluster import api, contents, crd, manifests, pods
from cluster.errors import errors_as_status
from cluster.pods import Rollout
from config import Config
from errors import Blocked, Unready, bugs_as_status, collected
from juju import proxies, reactive, trust
from juju.peers import Shared
from leader import access, authenticator
from leader.access import Report
from statuses import active, entry, options
from text import counted

if TYPE_CHECKING:
    from hook import Hook

logger = logging.getLogger(__name__)

# How many nodes say where the cluster is. The list of a large cluster has 50 MB.
_NODES = "10"


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
        service = authenticator.claim(hook, client)
        with collected(unbrought), errors_as_status():
            authenticator.define_mappings(client, hook.owner, config)
        # What guards mappings is there before anybody is let in.
        if unbrought and not peers.shared.serving:
            raise unbrought[0]
        with collected(unbrought), errors_as_status():
            # Access that ends goes before anything else that takes time.
            reported = access.bring(hook, client)
        authenticator.apply_service(hook, client, config, service)
        stored = contents.stored(client)
    issued, unissued = None, list[Unready]()
    with collected(unissued), bugs_as_status(hook.charm.unit.name):
        issued = hook.certificates.obtain(stored.pair)
    pair = issued.pair if issued else stored.pair
    if not pair:
        problems += unbrought
        raise unissued[0]
    # A new authority is trusted beside the old one, until no pod serves with that.
    former = stored.pair.ca if stored.pair else ""
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
            reserves=not crd.ratchets(client),
        )
        rollout = authenticator.deploy(client, hook.owner, spec, stored.secret, refused)
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

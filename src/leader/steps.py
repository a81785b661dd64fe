# SPDX-License-Identifier: Apache-2.0

"""The leader's steps: the authenticator in the cluster, who may log in, and what to say of it."""

from __future__ import annotations

import logging
import os
import secrets
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import cos
from access.mapping import IdentityMapping
from certificates import rotation
from cluster import api, contents, crd, manifests, objects, pods, references, services, sync
from cluster.errors import errors_as_status, retry_on_conflict
from config import Config
from errors import Blocked, Unready, collected, worst
from juju import control_plane, extra_cas, proxies, pull_secret
from juju.peers import Shared
from juju.wake import Next
from leader import access, announcements, logins, report
from leader.access import Report
from migration import reactive
from owner import Owner
from statuses import active, options, waiting

if TYPE_CHECKING:
    from hook import Hook

logger = logging.getLogger(__name__)

# How much of its time a hook keeps for what follows the end of access.
KEPT_SECONDS = 10.0


def lead(hook: Hook, config: Config, shared: Shared) -> tuple[str, Next]:
    """Take the leader's steps: deploy the authenticator, and let in who may log in.

    ``shared`` is what the units share as they begin. Return the line of an active status, and what
    is left for the unit to look at by itself.

    A problem that does not stop the steps is collected, and the first of these is raised at the
    end: what keeps the pods from serving stands before what keeps somebody from logging in.
    """
    peers, problems = hook.peers, list[Unready]()
    peers.publish(ensure_cluster_id(shared, config))
    trusted = extra_cas.receive(hook.charm)
    if not control_plane.is_webhook_foreign(hook.machine, hook.owner):
        # Write the file before the first API request, so it is repaired while the API is down.
        hook.share()
    with errors_as_status():
        client = hook.client
        service = _claim(hook, client)
        unguarded = _define_mappings(client, hook.owner, config, has_served=peers.shared.serving)
        # Access that ends goes before anything else that takes time.
        remaining = access.end(hook, client, keep=KEPT_SECONDS)
        # The Service comes first, because its address goes into the certificate.
        _apply_service(hook, client, config, service)
    issued, unissued = None, list[Unready]()
    with collected(unissued):
        issued = hook.certificates().obtain(peers.shared.address)
    new = issued.pair if issued else None
    with errors_as_status():
        stored = contents.stored(client)
    hook.share(ca=rotation.bundle(peers.shared.ca, stored.pair, new))
    # That may have recorded this unit's acknowledgement, so read them only now.
    plan = rotation.plan(peers.shared.ca, stored.pair, new, peers.units_not_trusting)
    if not plan.pair:
        raise unissued[0]
    with errors_as_status():
        spec = manifests.Spec(
            config.deployed_image,
            config.replicas,
            peers.shared.cluster_id,
            plan.pair,
            config.partition,
            pull_secret=_credentials(hook, client, config, problems),
            proxies=_web_proxies(client, config, stored, problems),
            authorities=trusted.authorities,
        )
        rollout = _deploy(client, hook.owner, spec, stored)
        hook.share(serving=peers.shared.serving or rollout.serving)
        hook.charm.tell_version(config.version)
        own = pods.find(client)
        if plan.can_drop_old_ca and rollout.complete and pods.all_use(own, plan.pair):
            hook.share(ca=plan.pair.ca)
        with collected(problems):
            pods.check_complete(client, rollout, own)
        reported = _let_in(hook, client, config, remaining, problems)
        unused = logins.look(client, hook.owner, hook.memory, pods.names(own), reported)
        counted = reported.counted(config.replicas, *unused)
        cos.lead(hook.charm, hook.owner, peers, plan.pair, counted, own)
    problems += [hook.certificates().meanwhile(plan.pair, problem) for problem in unissued]
    with collected(problems):
        plan.check_trusted()
    if problems:
        raise worst(problems, announced=not reported.result.unfinished)
    keeps_old_ca = peers.shared.ca != plan.pair.ca
    remarks = (
        issued.warning if issued else "",
        spec.proxies.remark,
        trusted.remark,
        active.OLD_CA_TRUSTED() if keeps_old_ca else "",
    )
    line = report.line(config, rollout, reported, unguarded, *remarks)
    return line, _next(reported, keeps_old_ca=keeps_old_ca)


def _next(reported: Report, *, keeps_old_ca: bool) -> Next:
    """Return what an active unit leaves to look at."""
    if reported.result.unfinished and reported.result.done:
        return Next.GO_ON
    is_left = keeps_old_ca or reported.result.unfinished or reported.declared.learns
    return Next.POLL if is_left else Next.NOTHING


def _claim(hook: Hook, client: api.Client) -> api.Object | None:
    """Claim the authenticator's objects. Return the Service, if there is one.

    Raises:
        errors.Blocked: another application owns them.
    """
    service = retry_on_conflict(lambda: _owned(client, hook.owner), waiting.OTHERS_CHANGE())
    mark = objects.mark_of(service)
    if hook.owner.is_foreign(mark):
        # Tell our units to stop writing the file: the owner's units write it.
        hook.peers.change(ca="", serving=False)
        raise Blocked(references.foreign(mark))
    return service


def _owned(client: api.Client, owner: Owner) -> api.Object | None:
    """Return the Service, whose mark says who owns the objects.

    Objects without a mark become ``owner``'s. Where there is no Service, applying it makes
    ``owner`` the owner. If two applications create it at once, the later apply wins, and the other
    application sees that before it has a certificate to deploy.
    """
    service = objects.get(client, references.SERVICE)
    if service and not objects.mark_of(service):
        from migration import objects as former

        return former.take_over(client, owner, service)
    return service


def _apply_service(
    hook: Hook, client: api.Client, config: Config, service: api.Object | None
) -> None:
    """Apply the Service, and share its address, and those that it has lost."""
    shared, chosen = hook.peers.shared, config.webhook_address
    former = shared.address
    address = services.apply(client, hook.owner, chosen, former, service)
    lost = shared.lost - {address}
    if former not in ("", address) and not services.has(client, former):
        logger.warning("another Service may have %s, which control planes asked so far", former)
        lost |= {former}
    hook.share(address=address, lost=lost)


def _let_in(
    hook: Hook,
    client: api.Client,
    config: Config,
    remaining: Sequence[IdentityMapping],
    problems: list[Unready],
) -> Report:
    """Bring all access to what it should be, starting from the ``remaining`` mappings."""
    client.prolong()
    if config.declared.error:
        text = options.MAPPINGS_INVALID(problem=config.declared.error)
        problems.append(Blocked(text, announced=True))
    reported = access.let_in(hook, client, remaining)
    announcements.announce(client, hook.owner, hook.peers, reported.administrators)
    hook.memory.log_once(report.remarks(reported))
    return reported


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


def _credentials(hook: Hook, client: api.Client, config: Config, problems: list[Unready]) -> str:
    """Return the credentials for the image's registry.

    Without the newest, those in the cluster stay in use: the pods need their certificate renewed
    and their mappings written all the same. A person's Secret of the same name is not used.
    """
    if not config.image_pull_secret:
        return ""
    stored = ""
    with collected(problems):
        stored = contents.stored_credentials(client, hook.owner)
        return pull_secret.read(hook.charm.model, config)
    return stored


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


def _define_mappings(client: api.Client, owner: Owner, config: Config, *, has_served: bool) -> str:
    """Apply the CRD, and on Kubernetes 1.30 and newer the policy on who may write mappings.

    Return a remark if there is no such policy, or if it comes only now to an application that
    ``has_served``: somebody has deleted it, or the cluster was older.
    """
    is_modern = crd.ratchets(client)
    crd.apply(client, config.partition, strict=is_modern)
    if not is_modern:
        return active.NO_POLICY()
    desired = manifests.mapping_policy(owner, config.mapping_policy)
    stored = [objects.get(client, manifests.reference(each)) for each in desired]
    for manifest, former in zip(desired, stored, strict=True):
        sync.apply(client, manifest, former)
    return active.POLICY_WAS_MISSING() if has_served and not all(stored) else ""


def _deploy(
    client: api.Client, owner: Owner, spec: manifests.Spec, stored: contents.Stored
) -> pods.Rollout:
    """Apply the authenticator that ``spec`` describes, and wait for its pods.

    A container of a former pod reads the proxies' former keys when it restarts, so they stay
    until the rollout is complete.

    Return how far their rollout is when the wait ends.
    """
    desired = manifests.authenticator(owner, spec)
    keeping = [manifests.keep_proxies(manifest, stored.proxies) for manifest in desired]
    known = {references.SECRET: stored.secret}
    *_, deployment = [
        sync.apply(client, manifest, known.get(manifests.reference(manifest)))
        for manifest in keeping
    ]
    rollout = pods.await_rollout(client, deployment)
    if rollout.complete:
        # Former pods may need these until then.
        for manifest, kept in zip(desired, keeping, strict=True):
            if manifest != kept:
                sync.apply(client, manifest)
        sync.prune(client, owner, desired)
    return rollout

# SPDX-License-Identifier: Apache-2.0

"""The leader's steps: the authenticator in the cluster, who may log in, and what to say of it."""

from __future__ import annotations

import logging
import os
import secrets
from dataclasses import replace

import cos
from access.mappings import MappingReport
from certificates import rotation
from certificates.keypair import KeyPair
from certificates.sans import sans
from cluster import api, claim, contents, crd, manifests, objects, pods, references, services
from cluster.errors import errors_as_status
from config import Config
from errors import Blocked, Unready, collected, worst
from hook import Hook
from juju import extra_cas, proxies, pull_secret
from juju.alarm import SECONDS, SOON_SECONDS
from juju.peers import Shared
from leader import logins, mappings, report, superusers
from leader.expiry import Expiry
from machine import reactive
from owner import Owner
from publishing import Publisher
from statuses import active

logger = logging.getLogger(__name__)

OLD_CA = active.OLD_CA_TRUSTED()


def lead(
    hook: Hook, config: Config, publisher: Publisher, expiry: Expiry, shared: Shared
) -> tuple[str, float | None]:
    """Take the leader's steps: deploy the authenticator, and let in who may log in.

    Return the line of an active status, and in how many seconds the unit must look again: None if
    an event announces what is still to be done, or nothing is.

    A problem that does not stop the steps is collected, and the first of these is raised at the
    end: what keeps the pods from serving stands before what keeps somebody from logging in.
    """
    share, problems = publisher.share, list[Unready]()
    shared = ensure_cluster_id(shared, config)
    trusted = extra_cas.receive(hook.charm)
    if not publisher.is_webhook_foreign():
        # Write the file before the first API request, so it is repaired while the API is down.
        share(shared)
    with errors_as_status():
        client = hook.client
        _claim(hook, client, shared)
        # The Service comes first, because its address goes into the certificate.
        address = services.apply(client, hook.owner, config.webhook_address, shared.address)
    shared = share(replace(shared, address=address))
    issued = hook.certificates.obtain(sans(address))
    with errors_as_status():
        stored = contents.stored(client)
    shared = share(replace(shared, ca=rotation.bundle(shared.ca, stored.pair, issued.pair)))
    # That may have recorded this unit's acknowledgement, so read them only now.
    plan = _plan_rotation(hook, shared.ca, stored.pair, issued.pair)
    if not plan.pair:
        issued.refuse()
    with errors_as_status():
        spec = manifests.Spec(
            config.deployed_image,
            config.replicas,
            shared.cluster_id,
            plan.pair,
            config.partition,
            pull_secret=_credentials(hook, client, config, problems),
            proxies=_web_proxies(client, config, stored, problems),
            authorities=trusted.authorities,
        )
        rollout = _deploy(client, hook.owner, spec, config.mapping_policy, stored)
        shared = share(replace(shared, serving=shared.serving or rollout.serving))
        hook.charm.unit.set_workload_version(config.version)
        labelled = pods.find_labelled(client)
        own = pods.own(labelled)
        if plan.can_drop_old_ca and rollout.complete and pods.all_use(own, plan.pair):
            shared = share(replace(shared, ca=plan.pair.ca))
        with collected(problems):
            pods.check_complete(client, rollout, own)
        found = _let_in(hook, client, config, expiry, problems)
        found = logins.look(client, hook.owner, hook.looks, pods.names(own), found)
        cos.lead(hook.charm, hook.owner, hook.peers, plan.pair, found, config.replicas, own)
    with collected(problems):
        issued.check()
    with collected(problems):
        plan.check_trusted()
    if problems:
        raise worst(problems, announced=not found.left)
    keeps_old_ca = shared.ca != plan.pair.ca
    remarks = (
        pods.strangers_remark(pods.strangers(labelled)),
        issued.warning,
        spec.proxies.remark,
        trusted.remark,
        OLD_CA if keeps_old_ca else "",
    )
    line = report.line(config, rollout, found, *remarks)
    return line, _seconds(found, keeps_old_ca=keeps_old_ca)


def _seconds(found: MappingReport, *, keeps_old_ca: bool) -> float | None:
    """Return in how many seconds an active unit must look again; None if it need not."""
    if found.left and found.written:
        return SOON_SECONDS
    return SECONDS if keeps_old_ca or found.left or found.learns else None


def _claim(hook: Hook, client: api.Client, shared: Shared) -> None:
    """Claim the authenticator's objects.

    Raises:
        errors.Blocked: another application owns them.
    """
    if mark := claim.claim(client, hook.owner):
        # The owner's units write the webhook file, so this application's stop doing so.
        hook.peers.publish(replace(shared, ca="", serving=False))
        raise Blocked(references.foreign(mark))


def _plan_rotation(
    hook: Hook, trusted: str, current: KeyPair | None, issued: KeyPair | None
) -> rotation.Plan:
    changes = rotation.changes_authority(current, issued)
    not_trusting = hook.peers.units_not_trusting(trusted) if changes else ()
    return rotation.plan(trusted, current, issued, not_trusting)


def _let_in(
    hook: Hook, client: api.Client, config: Config, expiry: Expiry, problems: list[Unready]
) -> MappingReport:
    """End access that has expired, and bring all other mappings to what they should be."""
    left = expiry.end(client)
    found = mappings.apply(client, hook.owner, config, left, problems)
    expiry.next_end = found.next_end
    superusers.announce(client, hook.owner, hook.peers, found.administrators)
    hook.journal.log(report.remarks(found))
    return found


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


def _deploy(
    client: api.Client,
    owner: Owner,
    spec: manifests.Spec,
    policy: str,
    stored: contents.Stored,
) -> pods.Rollout:
    """Apply the CRD, the policy on mappings, and the authenticator that ``spec`` describes, and
    wait for its pods. ``policy`` is the value of the option mapping-policy.

    A container of a former pod reads the proxies' former keys when it restarts, so they stay
    until the rollout is complete.

    Return how far their rollout is when the wait ends.
    """
    is_modern = crd.ratchets(client)
    crd.apply(client, spec.partition, strict=is_modern)
    for manifest in manifests.mapping_policy(owner, policy) if is_modern else ():
        objects.apply(client, manifest)
    desired = manifests.authenticator(owner, spec)
    keeping = [manifests.keep_proxies(manifest, stored.proxies) for manifest in desired]
    *_, deployment = [objects.apply(client, manifest) for manifest in keeping]
    rollout = pods.await_rollout(client, deployment)
    if rollout.complete:
        # Former pods may need these until then.
        for manifest, kept in zip(desired, keeping, strict=True):
            if manifest != kept:
                objects.apply(client, manifest)
        objects.prune(client, owner, desired)
    return rollout

"""The leader's steps: the cluster id, the authenticator in the cluster, and what to say of it."""

from __future__ import annotations

import dataclasses
import logging
import os
import secrets

import ops

import proxies
import pull_secret
import reactive
from access import mappings
from cluster import api, identity_mappings, manifests, objects, pods
from config import Config
from errors import Blocked, Unready
from owner import Owner
from peers import Shared

logger = logging.getLogger(__name__)


def ensure_cluster_id(shared: Shared, config: Config) -> Shared:
    """Return ``shared`` with the cluster id: the option's, else the one in use, else the
    reactive charm's, else a new one."""
    former = shared.cluster_id
    if not former:
        inherited = reactive.cluster_id()
        chosen = config.cluster_id or inherited or secrets.token_hex(8)
        return dataclasses.replace(shared, cluster_id=chosen, inherited=bool(inherited))
    wanted = config.cluster_id or former
    if wanted != former:
        logger.warning(
            "cluster id changed from %s to %s: people need the new one in their kubeconfig",
            former,
            wanted,
        )
    # Juju commits databags when the hook ends, so the old data is removed in a later hook.
    inherited = shared.inherited and not reactive.remove_leader_data()
    return dataclasses.replace(shared, cluster_id=wanted, inherited=inherited)


def credentials(
    client: api.Client, owner: Owner, model: ops.Model, config: Config
) -> tuple[str, Unready | None]:
    """Return the credentials for the image's registry, and why they are not the newest, if so.

    Without the newest, those in the cluster stay in use: the pods need their certificate renewed
    and their mappings written all the same. A person's Secret of the same name is not used.
    """
    if not config.image_pull_secret:
        return "", None
    try:
        stored = objects.stored_credentials(client, owner)
    except Blocked as problem:
        return "", problem
    try:
        return pull_secret.read(model, config), None
    except Unready as problem:
        return stored, problem


def web_proxies(
    client: api.Client, config: Config, stored: objects.Stored
) -> tuple[proxies.Proxies, Unready | None]:
    """Return the proxies for the pods, and why they are not the model's, if so.

    If one of the model's cannot work, those that the pods use stay in use.
    """
    if not config.web_proxy_enable:
        return proxies.NO_PROXIES, None
    try:
        return proxies.of_model(os.environ), None
    except Blocked as problem:
        return objects.deployed_proxies(client, stored), problem


def deploy(
    client: api.Client, owner: Owner, spec: manifests.Spec, stored: objects.Stored
) -> pods.Rollout:
    """Apply the CRD and the authenticator that ``spec`` describes, and wait for its pods.

    A container of a former pod reads the proxies' former keys when it restarts, so they stay
    until the rollout is complete.

    Return how far their rollout is when the wait ends.
    """
    identity_mappings.apply_crd(client, spec.partition)
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


def check_mappings(client: api.Client, partition: str) -> mappings.MappingReport:
    """Check all mappings, correct their canonical ARNs, and return the report.

    The corrections may take all that is left of the hook's time, so no request can follow.
    """
    found = identity_mappings.find(client)
    report = mappings.check(found, partition)
    seconds = client.seconds_left_to_write
    written = identity_mappings.write_canonical_arns(client, found, report.corrections, seconds)
    problems = dict(sorted({**written.refused, **report.problems}.items()))
    return dataclasses.replace(
        report, problems=problems, written=written.done, pending=written.pending
    )


def active_line(
    config: Config, rollout: pods.Rollout, report: mappings.MappingReport, *remarks: str
) -> str:
    """Return the line of an active status: what is served, and ``remarks`` that are not empty."""
    parts = [
        f"authenticator {config.version}",
        f"{rollout.ready}/{rollout.wanted} pods",
        _count(report),
    ]
    if report.problems:
        name, problem = next(iter(report.problems.items()))
        parts.append(f"{len(report.problems)} to correct: {name}: {problem}")
    return ", ".join([*parts, *filter(None, remarks)])


def _count(report: mappings.MappingReport) -> str:
    total = f"{report.total:,} mapping{'' if report.total == 1 else 's'}"
    return f"{report.pending:,} of {total} not effective yet" if report.pending else total

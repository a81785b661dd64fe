# Copyright 2026 Canonical Ltd.
# See LICENSE file for licensing details.

"""The leader's steps: the cluster id, the authenticator in the cluster, and what to say of it."""

from __future__ import annotations

import dataclasses
import logging
import os
import secrets
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

import ops

import labels
import times
from access import expiry, mappings
from access.mapping import IdentityMapping
from cluster import api, contents, crd, manifests, objects, pods
from cluster.mappings import canonical
from config import Config
from errors import Blocked, Unready
from juju import proxies, pull_secret
from juju.peers import Shared
from machine import reactive
from owner import Owner

if TYPE_CHECKING:
    from access.declaration import plan
    from access.declaration.declared import Entry
    from access.declaration.formats import LeftOut
    from access.permission_sets import PermissionSet

logger = logging.getLogger(__name__)

# How many entries of the option `mappings` the log names.
MOST_LOGGED = 20
# How far back the leader reads the pods' log for a permission set: somebody may have been refused
# before the set was declared, and the hooks of an idle unit may be an hour apart.
LOG_SECONDS = 3600


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
        stored = contents.stored_credentials(client, owner)
    except Blocked as problem:
        return "", problem
    try:
        return pull_secret.read(model, config), None
    except Unready as problem:
        return stored, problem


def web_proxies(
    client: api.Client, config: Config, stored: contents.Stored
) -> tuple[proxies.Proxies, Unready | None]:
    """Return the proxies for the pods, and why they are not the model's, if so.

    If one of the model's cannot work, those that the pods use stay in use.
    """
    if not config.web_proxy_enable:
        return proxies.NO_PROXIES, None
    try:
        return proxies.of_model(os.environ), None
    except Blocked as problem:
        return contents.deployed_proxies(client, stored), problem


def deploy(
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


def check_mappings(
    client: api.Client,
    found: Sequence[IdentityMapping],
    owner: Owner,
    config: Config,
) -> tuple[mappings.MappingReport, Unready | None]:
    """Make the mappings that the option declares. Check these and the others that were ``found``,
    and correct their canonical ARNs.

    This may take all that is left of the hook's time, so no request can follow.

    Return the report, and what is wrong with the option, if anything is: then nothing of the
    option changes, and people keep the access that they have.
    """
    declaration = _declare(client, owner, config, found)
    report = mappings.check(declaration.after, config.partition)
    written = canonical.write_all(
        client, declaration.after, report.corrections, client.seconds_left_to_write
    )
    now = times.now()
    late = {
        mapping.name: f"its access ended at {mapping.expires}, and the cluster keeps the mapping"
        for mapping in declaration.after
        if expiry.has_ended(mapping, now)
    }
    report = mappings.with_problems(report, {**written.refused, **report.problems, **late})
    report = dataclasses.replace(
        report,
        written=declaration.written + written.done,
        pending=declaration.pending + written.pending,
        not_applied=declaration.not_applied,
        left_out=declaration.left_out,
        learns=declaration.learns,
        next_end=expiry.next_end(declaration.after),
        lasting_administrators=mappings.count_lasting_administrators(declaration.after),
    )
    problem = declaration.problem
    if problem and report.pending:
        problem.announced = False
    return report, problem


@dataclasses.dataclass(frozen=True)
class _Declaration:
    """What became of the option `mappings`; ``after`` holds all mappings after that.

    ``learns`` says whether a permission set was declared without its suffix.
    """

    after: Sequence[IdentityMapping]
    written: int = 0
    pending: int = 0
    not_applied: Mapping[str, str] = dataclasses.field(default_factory=dict[str, str])
    left_out: tuple[LeftOut, ...] = ()
    learns: bool = False
    problem: Unready | None = None


def _declare(
    client: api.Client,
    owner: Owner,
    config: Config,
    found: Sequence[IdentityMapping],
) -> _Declaration:
    """Make the mappings that the option declares, and delete those that it no longer does."""
    if not config.mappings and all(each.source != labels.OPTION for each in found):
        return _Declaration(found)
    from access.declaration import declared
    from cluster.mappings import of_option

    try:
        declaration = declared.parse(config.mappings, times.now())
    except ValueError as error:
        return _Declaration(found, problem=Blocked(f"option mappings: {error}"))
    changes = plan_mappings(client, declaration.entries, config.partition, found)
    applied = of_option.apply(client, owner, changes, client.seconds_left_to_write)
    _log_roles(changes.create, applied.refused)
    not_made = {entry.name for _, entry in changes.create if entry.place in applied.refused}
    return _Declaration(
        [mapping for mapping in changes.after if mapping.name not in not_made],
        applied.done,
        applied.pending,
        {**changes.not_applied, **applied.refused},
        declaration.left_out,
        learns=any(entry.learns for entry in declaration.entries),
    )


def _log_roles(created: Iterable[tuple[str, Entry]], refused: Collection[str]) -> None:
    """Log each role of a permission set that is learned, or has changed."""
    for former, entry in created:
        if entry.permission_set and entry.place not in refused:
            logger.warning(
                "permission set %s (%s) %s role %s",
                entry.permission_set,
                entry.place,
                "changes to" if former else "has",
                entry.arn,
            )


def plan_mappings(
    client: api.Client,
    entries: Collection[Entry],
    partition: str,
    found: Sequence[IdentityMapping],
) -> plan.Plan:
    """Return what must change so that the cluster has the mappings that ``entries`` declare."""
    from access.declaration import plan

    sets = [entry.permission_set for entry in entries if entry.permission_set]
    # A set's own mapping decides over others of its role.
    own = {entry.name for entry in entries if entry.permission_set}
    known = sorted(found, key=lambda mapping: mapping.name in own)
    roles = permission_set_roles(client, sets, known, partition)
    return plan.of(entries, found, partition, roles)


def permission_set_roles(
    client: api.Client,
    sets: Collection[PermissionSet],
    found: Collection[IdentityMapping],
    partition: str,
) -> dict[PermissionSet, str]:
    """Return the ARN of each permission set's role, if nobody gave its suffix and it is known.

    Each hook reads the pods' log if there is such a set, and only then. The log alone shows that a
    set was provisioned again, and costs one request for each pod. Nothing keeps the time of the
    last look. So looks overlap, and a hook learns again what a former one learned.
    """
    if all(wanted.suffix for wanted in sets):
        return {}
    from access import permission_sets, refusals
    from cluster import pod_logs

    log = pod_logs.read(client, LOG_SECONDS)
    refused = refusals.parse(log.lines, log.begin, log.end)
    return permission_sets.learn(sets, refused, found, partition)


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
    if report.not_applied:
        place, reason = next(iter(report.not_applied.items()))
        parts.append(f"{len(report.not_applied)} declared but not applied: {place}: {reason}")
    if report.left_out:
        first = report.left_out[0]
        parts.append(f"{len(report.left_out)} left out: {first.place}: {first.reason}")
    return ", ".join([*parts, *filter(None, remarks)])


def remarks(report: mappings.MappingReport) -> str:
    """Return for the log what keeps the option `mappings` from its whole effect: the parts
    without any, and duplicates of what it declares. Return the empty text if there is nothing."""
    lines = [f"duplicate {name}: {report.problems[name]}" for name in sorted(report.duplicates)]
    lines += [f"{place} is not applied: {reason}" for place, reason in report.not_applied.items()]
    lines += [f"{out.place} is left out: {out.reason}" for out in report.left_out]
    shown = [f"option mappings: {line}" for line in lines[:MOST_LOGGED]]
    if len(lines) > MOST_LOGGED:
        shown.append(f"option mappings: and {len(lines) - MOST_LOGGED:,} more")
    return "\n".join(shown)


def _count(report: mappings.MappingReport) -> str:
    total = f"{report.total:,} mapping{'' if report.total == 1 else 's'}"
    if report.pending > report.total:
        # The option has become empty, and leaves more to delete than there is left of others.
        return f"{total}, {report.pending:,} former ones not deleted yet"
    return f"{report.pending:,} of {total} not effective yet" if report.pending else total

# SPDX-License-Identifier: Apache-2.0

"""The leader's step that lets people in: the mappings that the option declares, and all others."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import labels
import times
from access import administrators, expiry, mappings, rbac
from access.mapping import IdentityMapping
from cluster import api, bindings
from cluster.errors import errors_as_status
from cluster.mappings import canonical
from config import Config
from errors import Blocked, Unready
from juju import control_plane
from leader import rights
from owner import Owner
from statuses import mapping as mapping_texts
from statuses import options
from text import status_line

if TYPE_CHECKING:
    from access.declaration import plan
    from access.declaration.declared import Declared, Entry
    from access.permission_sets import PermissionSet
    from access.rights import RoleBinding

logger = logging.getLogger(__name__)

# How far back the leader reads the pods' log for a permission set: somebody may have been refused
# before the set was declared, and the hooks of an idle unit may be an hour apart.
LOG_SECONDS = 3600


def apply(
    client: api.Client,
    owner: Owner,
    config: Config,
    found: Sequence[IdentityMapping],
    problems: list[Unready],
) -> mappings.MappingReport:
    """Make the mappings that the option declares, and delete those that it no longer does. Check
    all mappings, ``found`` and made, and correct their canonical ARNs.

    If something is wrong with the option, nothing of it changes, and people keep the access that
    they have. This may take all that is left of the hook's time, so no request can follow.
    """
    # Without the option, no hook has to import what reads it.
    entries = config.declared.entries if config.mappings else ()
    gives = rights.are_declared(entries, found)
    bound = rights.existing(client, owner, found, namespaced=gives)
    after, report = _apply_declared(client, owner, config, found, bound, problems, gives=gives)
    checked = mappings.check(after, config.partition)
    corrected = canonical.write_all(
        client, after, checked.corrections, client.seconds_left_to_write
    )
    now = times.now()
    late = {
        mapping.name: mapping_texts.EXPIRED(time=mapping.expires)
        for mapping in after
        if expiry.has_ended(mapping, now)
    }
    wrong = {**corrected.refused, **checked.problems, **late}
    return replace(
        report,
        total=checked.total,
        problems=mappings.in_order(wrong, checked.duplicates),
        duplicates=checked.duplicates,
        written=report.written + corrected.done,
        pending=report.pending + corrected.pending,
        next_end=expiry.next_end(after),
        after=after,
        administrators=administrators.of(
            after, rbac.Bindings(map(rights.as_bound, bound or ())), config.partition
        ),
    )


def _apply_declared(
    client: api.Client,
    owner: Owner,
    config: Config,
    found: Sequence[IdentityMapping],
    bound: Sequence[RoleBinding] | None,
    problems: list[Unready],
    *,
    gives: bool,
) -> tuple[Sequence[IdentityMapping], mappings.MappingReport]:
    """Make the mappings that the option declares, and delete those that it no longer does.

    ``gives`` says whether the option gives rights, or gave some that are still to be taken back.

    Return all mappings after that, and a report that says no more than what became of the option.
    """
    report = mappings.MappingReport()
    if not config.mappings and all(each.source != labels.OPTION for each in found) and not gives:
        return found, report
    from cluster.mappings import of_option

    declaration = config.declared
    if declaration.error:
        problems.append(
            Blocked(options.MAPPINGS_INVALID(problem=declaration.error), announced=True)
        )
        return found, report
    changes = plan_for(client, declaration, config.partition, found)
    granting = None
    if gives:
        granting = rights.Rights(client, owner, declaration.entries, changes, found, bound)
    _log_last_administrators(client, config.partition, found, changes, granting)
    taken = granting.take_back() if granting else rights.Given()
    applied = of_option.apply(client, owner, changes, client.seconds_left_to_write)
    given = granting.give(applied) if granting else rights.Given()
    _log_roles(changes.create, applied.refused)
    not_made = {entry.name for _, entry in changes.create if entry.place in applied.refused}
    return [each for each in changes.after if each.name not in not_made], replace(
        report,
        written=applied.done + taken.done + given.done,
        pending=applied.pending,
        rights_pending=taken.pending + given.pending,
        not_applied={
            **changes.not_applied,
            **applied.refused,
            **taken.problems,
            **given.problems,
        },
        left_out=declaration.left_out,
        learns=declaration.learns,
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


def _log_last_administrators(
    client: api.Client,
    partition: str,
    found: Sequence[IdentityMapping],
    changes: plan.Plan,
    granting: rights.Rights | None,
) -> None:
    """Log that the option takes away the last mapping that can administer the cluster."""
    try:
        with errors_as_status():
            taken = last_administrators(client, partition, found, changes, granting)
    except Unready as reason:
        logger.warning("cannot tell who can administer the cluster: %s", status_line(reason))
        return
    if taken:
        logger.warning("option mappings: %s", administrators.warning(taken))


def last_administrators(
    client: api.Client,
    partition: str,
    before: Sequence[IdentityMapping],
    changes: plan.Plan,
    granting: rights.Rights | None = None,
) -> list[IdentityMapping]:
    """Return the mappings by which somebody could administer the cluster ``before`` the
    ``changes``, if none is left; otherwise none. ``granting`` are the rights that come with the
    option's mappings.

    This reads the cluster's bindings, unless the mappings alone tell.
    """
    gone = {*changes.delete, *(former for former, _ in changes.create)}
    gone |= {entry.name for entry in changes.update}
    gone |= granting.differences().keys() if granting else set[str]()
    if not any(each.name in gone for each in before):
        return []
    now = times.now()
    before, after = (
        [each for each in some if not expiry.has_ended(each, now)]
        for some in (before, changes.after)
    )
    if administrators.of(after, rbac.Bindings(()), partition):
        return []
    bound, everybody = bindings.find(client, control_plane.application())
    then = granting.applied_to(bound) if granting else bound
    if everybody or administrators.of(after, then, partition):
        return []
    taken = [each for each in before if each.name in gone]
    return administrators.of(taken, bound, partition)


def plan_for(
    client: api.Client,
    declared: Declared,
    partition: str,
    found: Sequence[IdentityMapping],
) -> plan.Plan:
    """Return what must change so that the cluster has the mappings that are ``declared``."""
    from access.declaration import plan

    entries = declared.entries
    sets = [entry.permission_set for entry in entries if entry.permission_set]
    # A set's own mapping decides over others of its role.
    own = {entry.name for entry in entries if entry.permission_set}
    known = sorted(found, key=lambda mapping: mapping.name in own)
    roles = permission_set_roles(client, sets, known, partition)
    changes = plan.of(entries, found, partition, roles, declared.kept(found))
    wrong = {each.place: each.reason for each in declared.wrong}
    return replace(changes, not_applied={**wrong, **changes.not_applied})


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

# SPDX-License-Identifier: Apache-2.0

"""The leader's steps: the authenticator in the cluster, who may log in, and what to say of it."""

from __future__ import annotations

import logging
import secrets
from dataclasses import replace
from typing import TYPE_CHECKING

import cos
import internal_errors
from certificates import pem
from cluster import contents, pods
from cluster.errors import errors_as_status
from config import Config
from errors import Blocked, Unready, collected, worst
from juju import extra_cas, reactive
from juju.peers import Shared
from leader import access, authenticator, report
from statuses import entry, options

if TYPE_CHECKING:
    from hook import Hook

logger = logging.getLogger(__name__)


def lead(hook: Hook, config: Config, shared: Shared) -> str:
    """Take the leader's steps: deploy the authenticator, and let in who may log in.

    ``shared`` is what the units share as they begin. Return the line of an active status.

    A problem that does not stop the steps is collected, and the first of these is raised at the
    end: what keeps the pods from serving stands before what keeps somebody from logging in.
    """
    peers, problems = hook.peers, hook.problems
    peers.publish(ensure_cluster_id(shared, config))
    trusted = extra_cas.receive(hook.charm)
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
        # The Service comes first, because its address goes into the certificate.
        authenticator.apply_service(hook, client, config, service)
        stored = contents.stored(client)
    issued, unissued = None, list[Unready]()
    with collected(unissued), internal_errors.as_status(hook.charm.unit.name):
        issued = hook.certificates.obtain(peers.shared.address, stored.pair)
    pair = issued.pair if issued else stored.pair
    announced = bool(reported) and not reported.result.left
    if not pair:
        raise worst(unissued, announced=announced)
    # A new authority is trusted beside the old one, until no pod serves with that.
    former = stored.pair.ca if stored.pair else ""
    hook.share(ca=pem.ca_bundle(peers.shared.ca, former, pair.ca))
    refused = list[Unready]()
    with errors_as_status():
        spec = authenticator.spec(hook, client, config, pair, stored, trusted, problems)
        rollout = authenticator.deploy(client, hook.owner, spec, stored, refused)
        hook.share(serving=peers.shared.serving or rollout.serving)
        hook.tell_version()
        own = pods.find(client)
        if peers.shared.ca != pair.ca and rollout.complete and pods.all_use(own, pair):
            hook.share(ca=pair.ca)
        with collected(problems):
            pods.check_complete(client, rollout, own)
        cos.publish(hook, own)
    if problem := config.declared.problem:
        problems.append(Blocked(options.MAPPINGS_INVALID(problem=problem), announced=True))
    if reported:
        hook.memory.log_once(report.remarks(config, reported))
    problems += unbrought
    problems += [hook.certificates.meanwhile(pair, problem) for problem in unissued]
    problems += refused
    if problems or not reported:
        raise worst(problems, announced=announced)
    remarks = (
        issued.warning if issued else "",
        spec.proxies.remark,
        trusted.remark,
    )
    keeps_old_ca = peers.shared.ca != pair.ca
    # Only a login tells the role of a permission set.
    awaits_role = entry.ROLE_UNKNOWN() in reported.not_applied.values()
    hook.wake.polls |= keeps_old_ca or awaits_role or bool(reported.result.left)
    return report.line(rollout, reported, *remarks)


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

#!/usr/bin/env python3
# Copyright 2026 Canonical Ltd.
# See LICENSE file for licensing details.

"""The aws-iam charm: which events it observes, and the reconcile that each of them runs.

Data flows one way: Juju's state → desired objects → cluster, file, relation data → status.
"""

from __future__ import annotations

import contextlib
import functools
import gc

if __name__ == "__main__":
    # The process lives for a fraction of a second, so a collection finds no garbage worth its
    # time; and the imports below would cause most of the collections.
    gc.disable()

import logging
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import ops
from charms.aws_iam.v0.aws_iam import AwsIamRequirer

import cos
import internal_errors
import preload
from certificates.relation import Certificates
from certificates.sans import sans
from cluster import api
from cluster.errors import errors_as_status
from config import Config, load_config
from errors import Blocked, Unready, Waiting
from juju import control_plane, extra_cas, peers
from juju.alarm import SECONDS, SOON_SECONDS, Alarm
from juju.control_plane import ControlPlane
from juju.journal import Journal
from juju.leaving import Leaving
from juju.peers import Shared
from machine import reactive, webhook_file
from machine.files import Machine
from owner import Owner
from text import status_line

if TYPE_CHECKING:
    from collections.abc import Callable

    from certificates import rotation
    from cluster import pods
    from leader.endings import Endings

OTHER_ENDPOINTS = ("certificates", extra_cas.ENDPOINT, cos.ENDPOINT)
ENDPOINTS = (*control_plane.ENDPOINTS, *OTHER_ENDPOINTS)


class AwsIamCharm(ops.CharmBase):
    """A subordinate of kubernetes-control-plane that serves its authentication webhook."""

    machine = Machine()

    def __init__(self, framework: ops.Framework):
        super().__init__(framework)
        if self.machine.webhook.exists() and self.unit.is_leader():
            preload.begin()
        self._status: ops.StatusBase | None = None
        self._alarm = Alarm(self)
        self._journal = Journal(self)
        self._owner = Owner(self.app.name, self.model.name, self.model.uuid)
        self._peers = peers.Peers(self)
        # One client a hook, because its time is the hook's.
        self._connect = functools.cache(lambda: api.connect(self.machine.admin_kubeconfig))
        self._leaving = Leaving(self)
        self._requirer = AwsIamRequirer(self, control_plane.RELATION)
        self._certificates = Certificates(self, sans(self._peers.shared.address))

        for name in control_plane.ENDPOINTS:
            framework.observe(self.on[name].relation_departed, self._on_control_plane_departed)
            framework.observe(self.on[name].relation_broken, self._on_control_plane_broken)
        for event in (
            self.on.install,
            self.on.upgrade_charm,
            self.on.config_changed,
            self.on.start,
            self.on.leader_elected,
            self.on.update_status,
            self.on.secret_changed,
            self.on.secret_expired,
            *(self.on[name].relation_created for name in ENDPOINTS),
            *(self.on[name].relation_changed for name in ENDPOINTS),
            *(self.on[name].relation_broken for name in OTHER_ENDPOINTS),
            self.on[peers.RELATION].relation_created,
            self.on[peers.RELATION].relation_changed,
            self.on[peers.RELATION].relation_departed,
            self.on[extra_cas.ENDPOINT].relation_departed,
        ):
            framework.observe(event, self._on_any_event)
        framework.observe(self.on.remove, self._on_remove)
        framework.observe(self.on["check"].action, self._on_action)
        framework.observe(self.on["explain-access"].action, self._on_action)
        framework.observe(self.on["get-kubeconfig"].action, self._on_action)
        framework.observe(self.on["grant-access"].action, self._on_action)
        framework.observe(self.on["list-mappings"].action, self._on_action)
        framework.observe(self.on["revoke-access"].action, self._on_action)
        framework.observe(self.on.collect_unit_status, self._on_collect_unit_status)

    @functools.cached_property
    def _endings(self) -> Endings:
        from leader.endings import Endings

        return Endings(self._alarm, self._peers, self._owner, self.config)

    # Events.

    def _on_any_event(self, _: ops.EventBase) -> None:
        try:
            with internal_errors.as_status(self.unit.name):
                line, seconds = self._reconcile()
            self._status = ops.ActiveStatus(status_line(line))
        except Unready as reason:
            line, seconds = str(reason), None if reason.announced else SECONDS
            status = ops.BlockedStatus if isinstance(reason, Blocked) else ops.WaitingStatus
            self._status = status(status_line(reason))
            if self.unit.is_leader():
                self._attempt(self._end_access)
        self._attempt(lambda: self._alarm.set(seconds, line))

    def _attempt(self, step: Callable[[], None]) -> None:
        """Take a step that follows the reconcile. A bug in it is this unit's status."""
        try:
            with internal_errors.as_status(self.unit.name):
                step()
        except Blocked as reason:
            self._status = ops.BlockedStatus(status_line(reason))

    def _end_access(self) -> None:
        if self._endings.end_unless_done(self._connect):
            cos.note_end(self, self._owner, self._peers, self._endings.next_end)

    def _on_collect_unit_status(self, event: ops.CollectStatusEvent) -> None:
        if self._status:
            event.add_status(self._status)

    def _on_control_plane_departed(self, event: ops.RelationDepartedEvent) -> None:
        if event.unit.name != control_plane.principal_unit():
            return
        if event.relation.name == control_plane.RELATION:
            # The file goes in a later hook: by then the control plane must not look for it.
            self._requirer.withdraw()
        with contextlib.suppress(Unready):
            # Later hooks ask again, but may hear less.
            self._leaving.is_leaving()

    def _on_control_plane_broken(self, event: ops.EventBase) -> None:
        if control_plane.is_related(self.model):
            self._on_any_event(event)
        else:
            # It may be the unit's last hook: Juju 4.1 is not certain to run `remove`.
            self._on_remove(event)

    def _on_remove(self, _: ops.EventBase) -> None:
        import removal

        if problem := removal.run(self.machine, self._owner, self._leaving, self.unit.name):
            self._status = ops.BlockedStatus(status_line(problem))

    # The reconcile: what it does depends on the state, never on the event.

    def _reconcile(self) -> tuple[str, float | None]:
        """Bring everything to its desired state.

        Return the line of an active status, and in how many seconds the unit must look again:
        None if an event announces what is still to be done, or nothing is.
        """
        reactive.remove_files(self.machine)
        reactive.remove_trust(self.machine, self.app.name)
        config = load_config(self)
        principal = control_plane.find(self, self._peers.shared.relations)
        control_plane.check_supported(self, self.machine)
        if not self._peers.joined:
            raise Waiting("waiting for Juju to set up the peer relation")
        control_plane.await_api_server(principal, self._requirer)
        shared = self._peers.shared.of_relations(principal.relations)
        if self.unit.is_leader():
            return self._lead(config, principal, shared)
        return self._follow(principal, shared)

    def _lead(
        self, config: Config, principal: ControlPlane, shared: Shared
    ) -> tuple[str, float | None]:
        # Only a unit that leads needs these, so the hooks of the others start sooner.
        from certificates import rotation
        from cluster import contents, manifests, pods, references, services
        from cluster.claim import claim
        from leader import steps

        shared = steps.ensure_cluster_id(shared, config)
        trusted = extra_cas.receive(self)
        if not control_plane.is_webhook_foreign(self.machine, self._owner):
            # Ahead of any request to Kubernetes: the file is repaired while its API is down, too.
            self._share(principal, shared)
        with errors_as_status():
            client = self._connect()
            if mark := claim(client, self._owner):
                # The owner's units write the webhook file, so this application's stop doing so.
                self._peers.publish(replace(shared, ca="", serving=False))
                raise Blocked(references.foreign(mark))
            # The Service comes first, because its address goes into the certificate.
            address = services.apply(client, self._owner, config.webhook_address, shared.address)
        shared = self._share(principal, replace(shared, address=address))
        issued = self._certificates.obtain(sans(address))
        with errors_as_status():
            stored = contents.stored(client)
        not_trusting = self._peers.units_not_trusting
        plan = rotation.plan(shared.ca, stored.pair, issued.pair, not_trusting)
        shared = self._share(principal, replace(shared, ca=plan.trust))
        # In that share this unit may have acknowledged the bundle.
        plan = rotation.plan(shared.ca, stored.pair, issued.pair, not_trusting)
        if not plan.pair:
            raise issued.problem
        with errors_as_status():
            credentials, unreadable = steps.credentials(client, self._owner, self.model, config)
            web_proxies, unusable = steps.web_proxies(client, config, stored)
            spec = manifests.Spec(
                config.deployed_image,
                config.replicas,
                shared.cluster_id,
                plan.pair,
                config.partition,
                web_proxies,
                credentials,
                trusted.authorities,
            )
            rollout = steps.deploy(client, self._owner, spec, config.mapping_policy, stored)
            shared = self._share_rollout(client, principal, shared, plan, rollout)
            self.unit.set_workload_version(config.version)
            unfinished = pods.rollout_problem(client, rollout)
            labelled = pods.find_labelled(client)
            strangers = pods.strangers_remark(pods.strangers(labelled))
            found = self._endings.end(client)
            report, undeclared = steps.check_mappings(client, found, self._owner, config)
            self._alarm.expect(report.next_end)
            self._journal.log(steps.remarks(report))
            cos.lead(
                self,
                self._owner,
                self._peers,
                plan.pair,
                report,
                config.replicas,
                pods.own(labelled),
            )
            if problem := unreadable or unusable or unfinished:
                raise problem
        if undeclared:
            raise undeclared
        if not issued.pair:
            raise issued.problem
        if plan.blocker:
            raise Waiting(plan.blocker)
        next_step = control_plane.next_step(principal, self.machine, shared.address)
        old_ca = shared.ca != plan.pair.ca
        former = "the former authority is trusted until its last pod has ended" if old_ca else ""
        remarks = (
            strangers,
            issued.warning,
            web_proxies.remark,
            trusted.remark,
            former,
            next_step,
        )
        line = steps.active_line(config, rollout, report, *remarks)
        if report.pending and report.written:
            return line, SOON_SECONDS
        waits = old_ca or next_step or report.pending or report.learns
        return line, SECONDS if waits else None

    def _share_rollout(
        self,
        client: api.Client,
        principal: ControlPlane,
        shared: Shared,
        plan: rotation.Plan,
        rollout: pods.Rollout,
    ) -> Shared:
        """Publish what the rollout has changed of ``shared``, and return it."""
        from cluster import pods

        serving = shared.serving or rollout.serving
        shared = self._share(principal, replace(shared, serving=serving))
        pair = plan.pair if plan.can_drop_old_ca and rollout.complete else None
        if pair and pods.all_pods_use(client, pair):
            shared = self._share(principal, replace(shared, ca=pair.ca))
        return shared

    def _follow(self, principal: ControlPlane, shared: Shared) -> tuple[str, float | None]:
        self._alarm.expect(None)
        self._publish_webhook(principal, shared)
        self._certificates.withdraw()
        if not shared.serving:
            raise Waiting("waiting for the leader to deploy the authenticator")
        cos.follow(self, self._owner, shared.facts)
        next_step = control_plane.next_step(principal, self.machine, shared.address)
        line = f"webhook {webhook_file.endpoint(shared.address)}"
        return ", ".join(filter(None, (line, next_step))), SECONDS if next_step else None

    def _share(self, principal: ControlPlane, shared: Shared) -> Shared:
        """Publish ``shared`` to the peers and to this unit's control plane, and return it."""
        self._peers.publish(shared)
        self._publish_webhook(principal, shared)
        return shared

    def _publish_webhook(self, principal: ControlPlane, shared: Shared) -> None:
        if control_plane.publish_webhook(
            principal, self.machine, self._requirer, self._owner, shared
        ):
            self._peers.acknowledge(shared.ca)

    def _on_action(self, event: ops.ActionEvent) -> None:
        import actions

        shared, owner, machine = self._peers.shared, self._owner, self.machine
        context = actions.Context(
            machine,
            owner,
            shared,
            self.config,
            self.unit.name,
            self.unit.is_leader(),
            self._alarm.ring_at,
            lambda: control_plane.use(self, machine, self._requirer, owner, shared),
        )
        actions.answer(event, context)


if __name__ == "__main__":
    # Libraries log every request and every step at these levels. It says nothing about this
    # charm, and each line would be a hook-tool call.
    logging.disable(logging.INFO)
    reactive.remove_state(Path(".unit-state.db"))
    ops.main(AwsIamCharm)
    # Python would look for garbage again and again as it ends.
    gc.freeze()

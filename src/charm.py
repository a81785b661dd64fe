#!/usr/bin/env python3
"""The aws-iam charm: which events there are, and what every one of them does.

Data flows one way: Juju's state → desired objects → cluster, file, relation data → status.
"""

from __future__ import annotations

import dataclasses
import gc
import logging
import secrets
from collections.abc import Mapping
from typing import TYPE_CHECKING

import ops
from charms.aws_iam.v0.aws_iam import AwsIamRequirer, Webhook

import cluster
import control_plane
import kubeconfigs
import machine
import manifests
import mappings
import peers
import pods
import predecessor
from certificates import Certificates, pem
from config import Config
from errors import Blocked, Unready, Waiting

if TYPE_CHECKING:
    from lightkube import Client

logger = logging.getLogger(__name__)


class AwsIamCharm(ops.CharmBase):
    """A subordinate of kubernetes-control-plane that serves its authentication webhook."""

    def __init__(self, framework: ops.Framework):
        super().__init__(framework)
        self._verdict: ops.StatusBase | None = None
        self._peers = peers.Peers(self)
        self._requirer = AwsIamRequirer(self, control_plane.RELATION)
        self._certificates = Certificates(self, _names(self._peers.published.address))

        for event in (
            self.on.install,
            self.on.upgrade_charm,
            self.on.config_changed,
            self.on.start,
            self.on.leader_elected,
            self.on.update_status,
            self.on.secret_changed,
            self.on.secret_expired,
            *(
                relation_event
                for name in (control_plane.RELATION, control_plane.IMPLICIT, "certificates")
                for relation_event in (
                    self.on[name].relation_created,
                    self.on[name].relation_changed,
                    self.on[name].relation_broken,
                )
            ),
            self.on[peers.RELATION].relation_created,
            self.on[peers.RELATION].relation_changed,
            self.on[peers.RELATION].relation_departed,
        ):
            framework.observe(event, self._on_any_event)
        departed = self.on[control_plane.RELATION].relation_departed
        framework.observe(departed, self._on_control_plane_departed)
        framework.observe(self.on.remove, self._on_remove)
        framework.observe(self.on.get_kubeconfig_action, self._on_get_kubeconfig)
        framework.observe(self.on.collect_unit_status, self._on_collect_unit_status)

    # Events.

    def _on_any_event(self, _: ops.EventBase) -> None:
        try:
            self._verdict = ops.ActiveStatus(self._reconcile())
        except Blocked as reason:
            self._verdict = ops.BlockedStatus(str(reason))
        except Waiting as reason:
            self._verdict = ops.WaitingStatus(str(reason))

    def _on_collect_unit_status(self, event: ops.CollectStatusEvent) -> None:
        if self._verdict:
            event.add_status(self._verdict)

    def _on_control_plane_departed(self, _: ops.EventBase) -> None:
        # Before the file goes, with the last hook: the control plane must not look for it.
        self._requirer.withdraw()

    def _on_remove(self, _: ops.EventBase) -> None:
        machine.remove(machine.WEBHOOK)
        try:
            if control_plane.is_leaving():
                return
            with cluster.answering():
                cluster.remove(cluster.connect(machine.ADMIN_KUBECONFIG))
        except Unready as reason:
            logger.warning(
                "the cluster keeps what this charm deployed (%s); remove it with: "
                "kubectl -n kube-system delete deploy,svc,cm,sa,pdb aws-iam-authenticator; "
                "kubectl -n kube-system delete secret aws-iam-certs; "
                "kubectl delete clusterrole,clusterrolebinding aws-iam-authenticator",
                reason,
            )

    # The reconcile: what it does depends on the state, never on the event.

    def _reconcile(self) -> str:
        """Bring everything to where it belongs; the line for an active status."""
        predecessor.forget_files()
        config = self._load_config()
        principal = control_plane.find(self)
        if not self._peers.joined:
            raise Waiting("waiting for Juju to set up the peer relation")
        control_plane.await_api_server(principal, self._requirer)
        self._hand_over(principal)
        if not self.unit.is_leader():
            self._certificates.withdraw()
            return self._follow(principal)
        with cluster.answering():
            line = self._lead(cluster.connect(machine.ADMIN_KUBECONFIG), config, principal)
        self._check_option(principal)
        return line

    def _load_config(self) -> Config:
        try:
            return self.load_config(Config)
        except ValueError as error:
            raise Blocked(str(error)) from error

    def _follow(self, principal: control_plane.ControlPlane) -> str:
        published = self._peers.published
        if not published.serving:
            raise Waiting("waiting for the leader to deploy the authenticator")
        self._check_option(principal)
        return f"webhook {kubeconfigs.endpoint(published.address)}"

    def _lead(self, client: Client, config: Config, principal: control_plane.ControlPlane) -> str:
        self._publish(cluster_id=self._cluster_id(config))
        # 1. The Service first: its address goes into the certificate.
        address = cluster.apply_service(client, self._peers.published.address or None)
        self._publish(address=address)
        # 2. The certificate; the pair in use stays in use while another is awaited.
        self._certificates.request(_names(address))
        new, problem = self._answer()
        current = cluster.current_bundle(client)
        served, distrust = self._agree(current, new, principal)
        if not served:
            raise problem or Waiting("waiting for a certificate")
        # 3. The rest, and what the control plane may know of it.
        rollout = self._deploy(client, config, served)
        self._publish(serving=self._peers.published.serving or rollout.serving)
        behind = served == new and served.ca != self._peers.published.ca
        if behind and rollout.complete and pods.all_show(client, served):
            self._publish(ca=served.ca)
        self._hand_over(principal)
        self.unit.set_workload_version(config.version)
        survey = mappings.survey(cluster.list_mappings(client))
        cluster.correct_mappings(client, survey.corrections)
        # 4. What is left to be said.
        if not rollout.complete:
            raise pods.unfinished(client, rollout)
        if held_back := problem or distrust:
            raise held_back
        line = _line(config, rollout, survey, self._certificates.warning)
        if self._peers.published.ca != served.ca:
            line += ", the former authority is trusted until its last pod has ended"
        return line

    def _cluster_id(self, config: Config) -> str:
        former = self._peers.published.cluster_id
        if not former:
            inherited = predecessor.cluster_id()
            predecessor.forget_leader_data()
            return config.cluster_id or inherited or secrets.token_hex(8)
        wanted = config.cluster_id or former
        if wanted != former:
            logger.warning(
                "cluster id changed from %s to %s: people need the new one in their kubeconfig",
                former,
                wanted,
            )
        return wanted

    def _answer(self) -> tuple[manifests.Bundle | None, Unready | None]:
        try:
            return self._certificates.answer(), None
        except Unready as problem:
            return None, problem

    def _agree(
        self,
        current: manifests.Bundle | None,
        new: manifests.Bundle | None,
        principal: control_plane.ControlPlane,
    ) -> tuple[manifests.Bundle | None, Unready | None]:
        """The pair to serve now, and who holds the newer one back.

        Every unit, and its control plane, trusts a new authority before any pod shows a
        certificate of it, and the old one until no pod does.
        """
        known = [bundle for bundle in (current, new) if bundle]
        trust = pem.merged(self._peers.published.ca, *(bundle.ca for bundle in known))
        self._publish(ca=trust)
        self._hand_over(principal)
        if not current or not new or current.ca == new.ca:
            return new or current, None
        missing = self._peers.missing(trust)
        if not missing:
            return new, None
        return current, Waiting(f"waiting for {', '.join(missing)} to trust the new authority")

    def _deploy(self, client: Client, config: Config, served: manifests.Bundle) -> pods.Rollout:
        cluster.apply_mapping_definition(client)
        objects = manifests.authenticator(
            image=config.image,
            replicas=config.replicas,
            cluster_id=self._peers.published.cluster_id,
            served=served,
        )
        *_, deployment = [cluster.apply(client, manifest) for manifest in objects]
        return pods.await_rollout(client, deployment)

    def _publish(self, **changes: str | bool) -> None:
        self._peers.publish(dataclasses.replace(self._peers.published, **changes))

    # Every unit's own side.

    def _hand_over(self, principal: control_plane.ControlPlane) -> None:
        """Give this unit's control plane what the leader published, file first."""
        published = self._peers.published
        if not published.ca:
            return
        if not principal.told:
            self._peers.acknowledge(published.ca)
            return
        text = kubeconfigs.webhook(published.address, published.ca)
        machine.write(machine.WEBHOOK, text)
        webhook = Webhook(published.cluster_id, published.serving, peers.fingerprint(text))
        self._requirer.publish(webhook)
        if self._requirer.acknowledged in (None, "", webhook.hash):
            self._peers.acknowledge(published.ca)

    def _check_option(self, principal: control_plane.ControlPlane) -> None:
        if not principal.told:
            rendered = machine.read(machine.AUTH_WEBHOOK)
            control_plane.check_option(principal, self._peers.published.address, rendered)

    # Actions.

    def _on_get_kubeconfig(self, event: ops.ActionEvent) -> None:
        try:
            event.set_results({"kubeconfig": self._kubeconfig(event.params)})
        except (ValueError, Unready) as reason:
            event.fail(str(reason))

    def _kubeconfig(self, params: Mapping[str, str]) -> str:
        cluster_id = self._peers.published.cluster_id
        if not cluster_id:
            raise Waiting("no cluster id yet, see juju status")
        login = kubeconfigs.login(cluster_id, params)
        public = machine.read(machine.CLIENT_KUBECONFIG) or machine.read(machine.ADMIN_KUBECONFIG)
        server, ca = kubeconfigs.public_endpoint(public or "")
        return kubeconfigs.client(
            login, context=params["context"], server=params.get("server") or server, ca=ca
        )


def _names(address: str) -> list[str]:
    """The names that the certificate must carry for the Service at ``address``."""
    return [*manifests.HOSTNAMES, address] if address else []


def _line(config: Config, rollout: pods.Rollout, survey: mappings.Survey, warning: str) -> str:
    parts = [
        f"authenticator {config.version}",
        f"{rollout.ready}/{rollout.wanted} pods",
        f"{survey.total} mapping{'' if survey.total == 1 else 's'}",
    ]
    if survey.problems:
        name, problem = next(iter(survey.problems.items()))
        parts.append(f"{len(survey.problems)} never work: {name}: {problem}")
    if warning:
        parts.append(warning)
    return ", ".join(parts)


if __name__ == "__main__":
    # A process that lives for a fraction of a second has no garbage worth looking for.
    gc.disable()
    # A hook-tool call for every request and every step of the framework says nothing about
    # this charm, and costs more than its own work.
    for library in ("ops", "httpx2", "httpcore2"):
        logging.getLogger(library).setLevel(logging.WARNING)
    ops.main(AwsIamCharm)

#!/usr/bin/env python3
"""The aws-iam charm: which events there are, and what every one of them does.

Data flows one way: Juju's state → desired objects → cluster, file, relation data → status.
"""

from __future__ import annotations

import gc

if __name__ == "__main__":
    # A process that lives for a fraction of a second has no garbage worth looking for, and
    # its imports would have it looked for most.
    gc.disable()

import logging
from collections.abc import Mapping

import ops
from charms.aws_iam.v0.aws_iam import AwsIamRequirer

import control_plane
import files
import kubeconfigs
import leader
import peers
import reactive
from certificates import Certificates
from cluster import api, objects
from config import Config
from errors import Blocked, Unready, Waiting

logger = logging.getLogger(__name__)


class AwsIamCharm(ops.CharmBase):
    """A subordinate of kubernetes-control-plane that serves its authentication webhook."""

    def __init__(self, framework: ops.Framework):
        super().__init__(framework)
        self._verdict: ops.StatusBase | None = None
        self._peers = peers.Peers(self)
        self._requirer = AwsIamRequirer(self, control_plane.RELATION)
        self._certificates = Certificates(self, leader.names(self._peers.published.address))

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
        files.remove(files.WEBHOOK)
        try:
            if control_plane.is_leaving():
                return
            with api.answering():
                objects.remove(api.connect(files.ADMIN_KUBECONFIG))
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
        reactive.forget_files()
        config = self._load_config()
        principal = control_plane.find(self)
        if not self._peers.joined:
            raise Waiting("waiting for Juju to set up the peer relation")
        control_plane.await_api_server(principal, self._requirer)
        self._hand_over(principal)
        line = self._lead(config, principal) if self.unit.is_leader() else self._follow()
        if not principal.told:
            control_plane.check_option(principal, self._peers.published.address)
        return line

    def _load_config(self) -> Config:
        try:
            return self.load_config(Config)
        except ValueError as error:
            raise Blocked(str(error)) from error

    def _hand_over(self, principal: control_plane.ControlPlane) -> None:
        control_plane.hand_over(principal, self._requirer, self._peers)

    def _lead(self, config: Config, principal: control_plane.ControlPlane) -> str:
        role = leader.Leader(
            self.unit, self._peers, self._certificates, lambda: self._hand_over(principal)
        )
        with api.answering():
            return role.lead(api.connect(files.ADMIN_KUBECONFIG), config)

    def _follow(self) -> str:
        self._certificates.withdraw()
        published = self._peers.published
        if not published.serving:
            raise Waiting("waiting for the leader to deploy the authenticator")
        return f"webhook {kubeconfigs.endpoint(published.address)}"

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
        public = files.read(files.CLIENT_KUBECONFIG) or files.read(files.ADMIN_KUBECONFIG)
        server, ca = kubeconfigs.public_endpoint(public or "")
        return kubeconfigs.client(
            login, context=params["context"], server=params.get("server") or server, ca=ca
        )


if __name__ == "__main__":
    # What libraries say of every request and every step says nothing about this charm, and
    # each line of it is a hook-tool call.
    logging.disable(logging.INFO)
    ops.main(AwsIamCharm)

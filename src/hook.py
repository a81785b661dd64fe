# SPDX-License-Identifier: Apache-2.0

"""What one hook of a unit works with, each part read from Juju once, and whom it tells."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

import ops
from charms.aws_iam.v0.aws_iam import AwsIamRequirer

import config
from errors import Unready, collected
from juju import control_plane, leaving
from juju.peers import Peers, Shared
from juju.wake import Wake
from machine.files import Machine
from owner import Owner
from related import RelatedCharm

if TYPE_CHECKING:
    from certificates.relation import Certificates
    from cluster import api
    from config import Config
    from juju.control_plane import ControlPlane


class Hook:
    """One hook of a unit."""

    def __init__(self, charm: RelatedCharm, machine: Machine):
        self.charm, self.machine = charm, machine
        self.owner = Owner(charm.app.name, charm.model.name, charm.model.uuid)
        self.wake, self.memory = Wake(charm), charm.memory
        self.requirer = AwsIamRequirer(charm, control_plane.RELATION)
        self._told: Shared | None = None
        self.problems = list[Unready]()

    @property
    def leads(self) -> bool:
        """Return whether this unit leads the application."""
        return self.charm.unit.is_leader()

    def note(self, event: ops.EventBase) -> None:
        """Note what ``event`` says of this unit, for the hooks to come."""
        leaving.note(self.charm, event)
        # Before it has its control plane, a unit asks Juju for no more than that.
        if self.memory.joined:
            leaving.note_peers(self.memory, is_readable=self.peers.is_readable)

    @property
    def is_cut_off(self) -> bool:
        """Return whether Juju answers little any more, so this may be the unit's last hook."""
        try:
            return not self.peers.is_readable
        except (ops.ModelError, ops.hookcmds.Error):
            return True

    def note_use(self) -> None:
        """Remember whether the control plane has ever asked the Service by its option."""
        leaving.note_peers(self.memory, is_readable=self.peers.is_readable)
        address = self.peers.shared.address
        if address and control_plane.is_set(self.machine, address):
            self.memory.was_set = True

    @functools.cached_property
    def peers(self) -> Peers:
        """Return what the leader tells the other units."""
        return Peers(self.charm)

    @functools.cached_property
    def config(self) -> Config:
        """Return the options, unchecked."""
        return config.load(self.charm)

    @functools.cached_property
    def certificates(self) -> Certificates:
        """Return the relation with the certificate authority."""
        from certificates.relation import Certificates

        return Certificates(self.charm, self.peers.shared.address)

    def on_event(self, event: ops.EventBase) -> None:
        """Do what this ``event`` alone asks for."""
        if isinstance(event, ops.SecretEvent | ops.RelationBrokenEvent) and self.leads:
            self.certificates.on_event(event)

    @functools.cached_property
    def client(self) -> api.Client:
        """Return the client for Kubernetes. Its 28 seconds are the whole hook's.

        Raises:
            errors.WaitingForKubeconfig: the kubeconfig is missing, incomplete or unusable.
        """
        from cluster import api

        return api.connect(self.machine.admin_kubeconfig)

    @functools.cached_property
    def principal(self) -> ControlPlane:
        """Return this unit's control plane.

        Raises:
            errors.Unready: there is none yet.
        """
        return control_plane.find(self.charm)

    def use(self) -> control_plane.Use:
        """Return how far the control plane uses the webhook.

        Raises:
            errors.Unready: there is no control plane yet.
        """
        requirer, shared = self.requirer, self.peers.shared
        return control_plane.use(self.charm, self.machine, requirer, self.owner, shared)

    def share(self, **changes: Any) -> None:
        """Publish ``changes`` of `Shared` to the peers, then to this unit's control plane.

        Leader only.
        """
        self.peers.change(**changes)
        with collected(self.problems):
            self.tell_control_plane(self.peers.shared)

    def tell_control_plane(self, shared: Shared) -> None:
        """Give this unit's control plane its webhook."""
        if shared == self._told:
            return
        self.memory.address = shared.address
        control_plane.publish_webhook(
            self.charm, self.principal, self.machine, self.requirer, self.owner, shared
        )
        self._told = shared

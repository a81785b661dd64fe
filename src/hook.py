# SPDX-License-Identifier: Apache-2.0

"""What one hook of a unit works with, each part read from Juju once, and whether the unit goes."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

import ops
from charms.aws_iam.v0.aws_iam import AwsIamRequirer

import config
from errors import Unready, Waiting
from juju import control_plane
from juju.peers import Peers, Shared
from juju.wake import Wake
from machine.files import Machine
from memory import Memory
from owner import Owner
from statuses import waiting

if TYPE_CHECKING:
    from certificates.relation import Certificates
    from cluster import api
    from config import Config
    from juju.control_plane import ControlPlane


class Hook:
    """One hook of a unit."""

    def __init__(self, charm: ops.CharmBase, machine: Machine):
        self.charm, self.machine = charm, machine
        self.owner = Owner(charm.app.name, charm.model.name, charm.model.uuid)
        self.memory = Memory(charm)
        self.wake = Wake(charm.unit, self.memory)
        self.requirer = AwsIamRequirer(charm, control_plane.RELATION)
        self.problems = list[Unready]()

    @property
    def leads(self) -> bool:
        """Return whether this unit leads the application."""
        return self.charm.unit.is_leader()

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

        return Certificates(self.charm, self.memory)

    @functools.cached_property
    def client(self) -> api.Client:
        """Return the client for Kubernetes. Its seconds are the whole hook's.

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

    def publish_webhook(self, shared: Shared) -> None:
        """Give this unit's control plane its webhook."""
        self.memory.address = shared.address
        control_plane.publish_webhook(
            self.memory, self.principal, self.machine, self.requirer, self.owner, shared
        )

    def tell_version(self) -> None:
        """Set the workload's version, unless Juju has it.

        Every unit does: Juju shows the version of the unit that told or lacked one last.
        """
        version = self.config.version

        def tell() -> bool:
            self.charm.unit.set_workload_version(version)
            return False

        self.memory.write_once("version", version, tell)

    def use(self) -> control_plane.Use:
        """Return how far the control plane uses the webhook.

        Raises:
            errors.Unready: there is no control plane yet.
        """
        return control_plane.use(self.charm, self.machine, self.peers.shared)

    def note(self, event: ops.EventBase) -> None:
        """Remember that this unit goes, if ``event`` says so. No unit of Juju returns.

        It goes with its last relation with a control plane: a subordinate stays no longer. Juju
        may leave out any of a unit's last hooks, so whichever comes first decides for the others.
        Only an event says so. That Juju refuses to let the unit read something is no sign.
        """
        if isinstance(event, ops.RelationDepartedEvent):
            goes = event.departing_unit == self.charm.unit
        elif isinstance(event, ops.RelationBrokenEvent):
            is_control_plane = event.relation.name in control_plane.ENDPOINTS
            goes = is_control_plane and not control_plane.is_related(self.charm)
        else:
            goes = isinstance(event, (ops.StopEvent, ops.RemoveEvent))
        if goes:
            self.memory.leaves = True

    def principal_leaves(self) -> bool:
        """Return whether this unit goes because its control-plane unit goes. Then the cluster is
        the other control planes', and stays as it is.

        Juju's goal state says so as long as there is one. Juju 4 lets a unit be dead before its
        subordinate's last hook, and lists it no more. A goal state without the relation says
        nothing.

        Raise `errors.Waiting` if Juju does not answer, and did not say so before.
        """
        if not self.memory.principal_leaves:
            principal = control_plane.principal_unit()
            try:
                listed = control_plane.principals()
            except ops.hookcmds.Error as error:
                raise Waiting(waiting.REMOVAL_UNKNOWN(cause=error)) from error
            is_dead = principal not in listed and control_plane.application() in listed
            self.memory.principal_leaves = is_dead or listed.get(principal) == "dying"
        return self.memory.principal_leaves

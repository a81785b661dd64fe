# SPDX-License-Identifier: Apache-2.0

"""What a unit works from, told to those who need it: the peers, and this unit's control plane."""

from __future__ import annotations

import dataclasses

from charms.aws_iam.v0.aws_iam import AwsIamRequirer

from juju import control_plane
from juju.control_plane import ControlPlane
from juju.peers import Peers, Shared
from machine.files import Machine
from owner import Owner


@dataclasses.dataclass
class Publisher:
    """Publishes for one unit, and remembers what its control plane was told in this hook."""

    peers: Peers
    machine: Machine
    requirer: AwsIamRequirer
    owner: Owner
    principal: ControlPlane
    _told: Shared | None = None

    def is_webhook_foreign(self) -> bool:
        """Return whether another application wrote the webhook file on this machine."""
        return control_plane.is_webhook_foreign(self.machine, self.owner)

    def share(self, shared: Shared) -> Shared:
        """Publish ``shared`` to the peers, then to this unit's control plane, and return it.

        Leader only. This may record that this unit's control plane trusts the CA bundle.
        """
        self.peers.publish(shared)
        self.tell_control_plane(shared)
        return shared

    def tell_control_plane(self, shared: Shared) -> None:
        """Give this unit's control plane its webhook, and tell the leader once that trusts it."""
        if shared == self._told:
            return
        if control_plane.publish_webhook(
            self.principal, self.machine, self.requirer, self.owner, shared
        ):
            self.peers.acknowledge(shared.ca)
        self._told = shared

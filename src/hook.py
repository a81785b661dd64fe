# SPDX-License-Identifier: Apache-2.0

"""What one hook of a unit works with. Each part is made, and read from Juju, once."""

from __future__ import annotations

import dataclasses
import functools
from typing import TYPE_CHECKING

import ops
from charms.aws_iam.v0.aws_iam import AwsIamRequirer

import config
from certificates.relation import Certificates
from cluster import api
from juju.memory import Memory
from juju.peers import Peers
from juju.wake import Wake
from machine.files import Machine
from owner import Owner

if TYPE_CHECKING:
    from config import Config


@dataclasses.dataclass
class Hook:
    """The parts of a hook.

    Attributes:
        charm: This charm.
        machine: Where the files of the control-plane machine are.
        owner: This application.
        peers: What the leader tells the other units.
        requirer: The relation through which older control planes take the webhook.
        certificates: The relation with the certificate authority.
        wake: When the unit looks again by itself.
        memory: What the unit remembers.
    """

    charm: ops.CharmBase
    machine: Machine
    owner: Owner
    peers: Peers
    requirer: AwsIamRequirer
    certificates: Certificates
    wake: Wake
    memory: Memory

    @property
    def leads(self) -> bool:
        """Return whether this unit leads the application."""
        return self.charm.unit.is_leader()

    @functools.cached_property
    def config(self) -> Config:
        """Return the options, unchecked."""
        return config.load(self.charm)

    @functools.cached_property
    def client(self) -> api.Client:
        """Return the client for Kubernetes. Its 28 seconds are the whole hook's.

        Raises:
            errors.WaitingForKubeconfig: the kubeconfig is missing, incomplete or unusable.
        """
        return api.connect(self.machine.admin_kubeconfig)

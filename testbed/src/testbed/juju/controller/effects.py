"""What the controller has to do after a change of the model."""

from __future__ import annotations

from dataclasses import dataclass, field

from testbed.juju.state.machine import Machine
from testbed.juju.state.model import Unit


@dataclass
class Effects:
    """What the controller has to start and to stop after a change."""

    started: list[Unit] = field(default_factory=list)
    ended: list[Unit] = field(default_factory=list)
    machines_gone: list[Machine] = field(default_factory=list)

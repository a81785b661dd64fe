# Copyright 2026 Canonical Ltd.
# See LICENSE file for licensing details.

"""Why a unit cannot finish its work, said for the operator.

Every module raises these; ``charm.py`` alone turns them into a Juju status. Their text is one
line: what is wrong, then the command to run or the party to wait for.
"""

from __future__ import annotations


class Unready(Exception):
    """The unit cannot finish its work now.

    Attributes:
        announced: Whether an event of Juju will say that this has changed. If not, the unit must
            look again by itself.
    """

    def __init__(self, text: str, *, announced: bool = True):
        super().__init__(text)
        self.announced = announced


class Blocked(Unready):
    """A person must act; the text says how."""


class Waiting(Unready):
    """Another party must act first; the text says which."""


class WaitingForKubeconfig(Waiting):
    """The control plane must first write an administrator's kubeconfig that works."""

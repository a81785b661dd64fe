# SPDX-License-Identifier: Apache-2.0

"""Why a unit cannot finish its work, said for the operator.

Every module raises these; ``charm.py`` alone turns them into a Juju status. Their text is one
line: what is wrong, then the command to run or the party to wait for.
"""

from __future__ import annotations

import contextlib
from collections.abc import Generator


class Unready(Exception):
    """The unit cannot finish its work now."""

    def __init__(self, text: str, *, announced: bool = False):
        super().__init__(text)
        # Whether an event of Juju tells when this changes. Otherwise the unit must look by itself.
        self.announced = announced


class Blocked(Unready):
    """A person must act; the text says how."""


class Waiting(Unready):
    """Another party must act first; the text says which."""


class WaitingForKubeconfig(Waiting):
    """The control plane must first write an administrator's kubeconfig that works."""


@contextlib.contextmanager
def collected(problems: list[Unready]) -> Generator[None]:
    """Add an `Unready` to ``problems`` in place of raising it: the reconcile goes on."""
    try:
        yield
    except Unready as problem:
        problems.append(problem)

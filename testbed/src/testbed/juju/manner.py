"""Which Juju the stand-in behaves as: TESTBED_JUJU."""

from __future__ import annotations

import os
from enum import Enum

VARIABLE = "TESTBED_JUJU"


class Manner(Enum):
    """A Juju that the stand-in behaves as. Its value is what TESTBED_JUJU says."""

    JUJU_3_6 = "3.6"
    JUJU_4_1 = "4.1"

    @property
    def version(self) -> str:
        """The version that hooks see in JUJU_VERSION."""
        return _VERSIONS[self]

    @property
    def binary_version(self) -> str:
        """The version as `juju version` and `jujud version` print it."""
        return f"{self.version}-ubuntu-amd64"


_VERSIONS = {Manner.JUJU_3_6: "3.6.28", Manner.JUJU_4_1: "4.1-beta2"}


def chosen() -> Manner:
    """Return what TESTBED_JUJU asks for, 3.6 by default. Raises ValueError."""
    value = os.environ.get(VARIABLE) or Manner.JUJU_3_6.value
    if value not in (manner.value for manner in Manner):
        raise ValueError(f"{VARIABLE}={value}: use 3.6 or 4.1")
    return Manner(value)

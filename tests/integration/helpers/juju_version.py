"""What only one Juju can do."""

from __future__ import annotations

import jubilant
import pytest


def require_3(juju: jubilant.Juju, reason: str) -> None:
    """Skip the running test, for this reason, on Juju 4."""
    if juju.version().tuple >= (4,):
        pytest.skip(reason)

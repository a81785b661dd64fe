"""A unit with a collector."""

from __future__ import annotations

import pytest
from tests.fakes.collecting import relate
from tests.fakes.juju.model import Model
from tests.fakes.kubernetes.server import FakeCluster


@pytest.fixture
def watched(deployed: Model, api: FakeCluster) -> Model:
    """A unit that serves with two pods, and that a collector is related to."""
    api.add_pod("b", podIP="10.1.0.3", phase="Running")
    api.add_pod("a", podIP="10.1.0.2", phase="Running")
    relate(deployed)
    api.forget()
    return deployed

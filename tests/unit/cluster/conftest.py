"""The charm's client, as what is tested here takes it."""

from __future__ import annotations

import pytest
from tests.fakes.kubernetes.server import FakeCluster
from tests.fakes.machine import Files

from cluster import api as kubernetes
from cluster.api import Client


@pytest.fixture
def client(files: Files, api: FakeCluster) -> Client:
    """A client of the cluster, of a hook that begins now."""
    return kubernetes.connect(files.admin)

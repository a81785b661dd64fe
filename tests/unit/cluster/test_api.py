"""A hook's time: no request begins after it."""

from __future__ import annotations

import pytest
from lightkube.resources.core_v1 import Service
from tests.fakes.juju.model import Model
from tests.fakes.kubernetes.server import FakeCluster

from cluster.api import SECONDS, Client
from cluster.errors import errors_as_status
from errors import Waiting
from statuses import waiting


def test_given_a_hook_whose_time_is_over_then_no_request_begins(client: Client, api: FakeCluster):
    api.clock.now += SECONDS

    with pytest.raises(Waiting) as raised, errors_as_status():
        client.get(Service, "web", namespace="default")

    assert str(raised.value) == waiting.API_LATE()
    assert api.requests == []


def test_given_a_settled_unit_when_it_asks_the_cluster_then_no_request_waits_for_long(
    deployed: Model, api: FakeCluster
):
    deployed.hook()

    assert all(seen.seconds["connect"] <= 3 and seen.seconds["read"] <= 10 for seen in api.seen)

"""A Service that somebody deletes by mistake, and an adversary who waits for its address.

He may create Services in a namespace of his own, with a clusterIP of his choice. Whoever has the
webhook's address gets people's tokens, and decides who they are.
"""

from __future__ import annotations

import pytest
from tests.fakes.juju.model import Model
from tests.fakes.kubernetes.paths import ADDRESS, SERVICE
from tests.fakes.kubernetes.server import FakeCluster
from tests.fakes.kubernetes.services import is_whole, take


def test_given_a_service_when_it_is_deleted_then_its_address_is_not_free_until_the_next_hook(
    deployed: Model, api: FakeCluster
):
    before = deployed.bags()
    api.kubectl_delete(SERVICE)
    take(api)
    assert api.taken_addresses == set()

    assert deployed.hook().name == "active"
    assert is_whole(api)
    assert api.objects[SERVICE]["spec"]["clusterIP"] == ADDRESS
    assert api.changes == [f"DELETE {SERVICE}", *[f"PATCH {SERVICE}"] * 2]
    assert deployed.bags() == before


@pytest.mark.parametrize("finalizer", ["foregroundDeletion", "orphan", "example.com/theirs"])
def test_given_a_deleted_service_with_other_finalizers_when_a_hook_runs_then_it_is_made_again(
    deployed: Model, api: FakeCluster, finalizer: str
):
    api.kubectl_delete(SERVICE)
    api.objects[SERVICE]["metadata"]["finalizers"].append(finalizer)

    assert deployed.hook().name == "active"
    assert is_whole(api)

"""The address of the charm's Service, and an adversary who waits for one."""

from __future__ import annotations

from tests.fakes.kubernetes.paths import ADDRESS, SERVICE
from tests.fakes.kubernetes.server import FakeCluster

from owner import FINALIZER

CHOSEN = "10.152.183.77"


def is_whole(api: FakeCluster, path: str = SERVICE) -> bool:
    """Whether there is a Service that nobody has deleted, and whose address is held."""
    metadata = api.objects[path]["metadata"]
    return "deletionTimestamp" not in metadata and metadata["finalizers"] == [FINALIZER]


def take(api: FakeCluster) -> None:
    """The adversary creates a Service with the address, if it is free."""
    if all(
        each["spec"].get("clusterIP") != ADDRESS for each in api.objects.values() if "spec" in each
    ):
        api.taken_addresses.add(ADDRESS)

"""Which Services go when the application is removed: the charm's own that nobody keeps."""

from __future__ import annotations

import pytest
from tests.fakes.juju.model import OWNER, UUID
from tests.fakes.kubernetes.paths import ADDRESS, SERVICE
from tests.fakes.kubernetes.server import FakeCluster
from tests.fakes.kubernetes.services import CHOSEN, EXTRA
from tests.fakes.owners import mark

from cluster import manifests, services, sync
from cluster.api import Client
from cluster.services import Askers
from labels import FINALIZER, KEPT

SERVICES = SERVICE.rpartition("/")[0]


@pytest.fixture(autouse=True)
def _services(client: Client, api: FakeCluster) -> None:
    """Two Services of the charm's and one of others."""
    sync.apply(client, manifests.service(OWNER, ADDRESS))
    sync.apply(client, manifests.service(OWNER, CHOSEN, extra=True))
    api.put(f"{SERVICES}/kube-dns", {"spec": {"clusterIP": "10.152.183.10"}})
    api.forget()


def remove(client: Client, *, unit: int = 0, shared: bool = False) -> None:
    principal = f"kubernetes-control-plane/{unit}"
    services.remove(client, OWNER, Askers({}, principal, ADDRESS), shared=shared)


def left(api: FakeCluster) -> set[str]:
    return set(api.objects) - {f"{SERVICES}/kube-dns"}


def test_given_two_services_when_deleted_then_the_first_goes_last_and_others_are_not_even_read(
    client: Client, api: FakeCluster
):
    remove(client)

    each = [
        f"{method} {path}" for path in (EXTRA, SERVICE) for method in ("GET", "DELETE", "PATCH")
    ]
    assert api.requests == [f"GET {SERVICES}", *each]
    assert left(api) == set()


@pytest.mark.parametrize(("others", "own"), [(EXTRA, SERVICE), (SERVICE, EXTRA)])
def test_given_one_service_of_another_application_when_deleted_then_ours_alone_goes(
    client: Client, api: FakeCluster, others: str, own: str
):
    mark(api, others, "other of model k8s (1)")

    remove(client)

    assert left(api) == {others}


@pytest.mark.parametrize(
    ("path", "finalizers", "shared", "goes"),
    [
        (SERVICE, [], False, True),
        (SERVICE, [], True, False),
        (SERVICE, [FINALIZER], False, False),
        (EXTRA, [], False, False),
    ],
    ids=["the reactive charm's", "while others own some", "kept", "nobody's"],
)
def test_given_a_service_without_an_owner_when_deleted_then_only_the_reactive_charms_goes(
    client: Client, api: FakeCluster, path: str, finalizers: list[str], shared: bool, goes: bool
):
    mark(api, path, None)
    api.objects[path]["metadata"]["finalizers"] = finalizers

    remove(client, shared=shared)

    assert left(api) == (set() if goes else {path})


def test_given_somebody_who_deletes_a_service_first_when_deleted_then_the_others_go_all_the_same(
    client: Client, api: FakeCluster
):
    api.meanwhile(lambda: api.delete(EXTRA), request=f"PATCH {EXTRA}")

    remove(client)

    assert left(api) == set()


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_given_a_service_that_is_kept_for_two_when_each_asks_no_more_then_it_goes_with_the_last(
    client: Client, api: FakeCluster, order: tuple[int, int]
):
    mark(api, EXTRA, None)
    both = " ".join(f"kubernetes-control-plane/{unit}" for unit in order)
    api.objects[EXTRA]["metadata"]["annotations"][KEPT] = f"{both} of model k8s ({UUID})"

    remove(client, unit=order[0])
    assert left(api) == {EXTRA}
    remove(client, unit=order[0])
    assert left(api) == {EXTRA}

    remove(client, unit=order[1])
    assert left(api) == set()

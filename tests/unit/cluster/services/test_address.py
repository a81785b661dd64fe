"""The address that the control planes are to ask: which Service has it, and why none can."""

from __future__ import annotations

import pytest
from tests.fakes.juju.model import OWNER
from tests.fakes.kubernetes.faults import refusal
from tests.fakes.kubernetes.paths import ADDRESS, SERVICE
from tests.fakes.kubernetes.server import FakeCluster
from tests.fakes.kubernetes.services import CHOSEN, EXTRA, is_whole

from cluster import objects, references, services
from cluster.api import Client
from cluster.errors import errors_as_status
from errors import Blocked, Unready, Waiting
from statuses import blocked, options, waiting

TAKEN, OUTSIDE = "10.152.183.1", "192.0.2.7"


@pytest.fixture(autouse=True)
def _taken(api: FakeCluster) -> None:
    """Another Service has an address."""
    api.taken_addresses.add(TAKEN)


def apply(client: Client, chosen: str = "", former: str = "") -> str:
    with errors_as_status():
        first = objects.get(client, references.SERVICE)
        return services.apply(client, OWNER, chosen, former, first)


@pytest.fixture
def both(client: Client, api: FakeCluster) -> Client:
    """The client, with the first Service and the one of a chosen address."""
    apply(client)
    apply(client, CHOSEN, ADDRESS)
    api.forget()
    return client


@pytest.mark.parametrize(
    ("chosen", "requests"),
    [("", [f"GET {SERVICE}"]), (CHOSEN, [f"GET {SERVICE}", f"GET {EXTRA}"])],
)
def test_given_a_service_that_was_just_made_when_it_is_applied_again_then_it_is_only_read(
    client: Client, api: FakeCluster, chosen: str, requests: list[str]
):
    former = apply(client)
    former = apply(client, chosen, former) if chosen else former
    api.forget()

    assert apply(client, chosen, former) == former
    assert api.requests == requests


@pytest.mark.parametrize(("path", "chosen"), [(SERVICE, ""), (EXTRA, CHOSEN)])
def test_given_a_service_that_somebody_deleted_when_it_is_applied_then_nobody_gets_its_address(
    both: Client, api: FakeCluster, caplog: pytest.LogCaptureFixture, path: str, chosen: str
):
    api.kubectl_delete(path)
    api.free_addresses = ["10.152.183.99"]
    former = chosen or ADDRESS

    assert apply(both, chosen, former) == former
    # Between the end of the former Service and the new one, the address is anybody's.
    assert api.requests[-2:] == [f"PATCH {path}"] * 2
    assert is_whole(api, path)
    assert api.objects[path]["spec"]["clusterIP"] == former
    name = path.rpartition("/")[2]
    assert caplog.messages == [f"somebody deleted Service {name}; made it again with its address"]


@pytest.mark.parametrize(
    ("chosen", "former", "status"),
    [
        (TAKEN, "", options.ADDRESS_IN_USE(address=TAKEN)),
        (TAKEN, TAKEN, blocked.ADDRESS_TAKEN(command="juju config aws-iam webhook-address=")),
        (OUTSIDE, "", options.ADDRESS_OUT_OF_RANGE(address=OUTSIDE, range="10.152.183.0/24")),
    ],
)
def test_given_a_chosen_address_that_no_service_can_have_then_the_status_says_why(
    client: Client, api: FakeCluster, chosen: str, former: str, status: str
):
    with pytest.raises(Blocked) as raised:
        apply(client, chosen, former)

    assert str(raised.value) == status
    assert api.objects == {}


def test_given_a_server_that_names_no_range_when_it_refuses_an_address_then_the_status_is_whole(
    client: Client, api: FakeCluster
):
    api.fail(
        refusal(422, "spec.clusterIPs[0]: must be an IPv6 address"), request=f"PATCH {SERVICE}"
    )

    with pytest.raises(Blocked) as raised:
        apply(client, OUTSIDE)

    among = "the cluster's Service range"
    assert str(raised.value) == options.ADDRESS_OUT_OF_RANGE(address=OUTSIDE, range=among)


def test_given_a_former_address_that_others_have_when_no_service_is_left_then_it_gets_another(
    client: Client, api: FakeCluster
):
    assert apply(client, former=TAKEN) == ADDRESS
    assert api.objects[SERVICE]["spec"]["clusterIP"] == ADDRESS
    # The same, of the Service that there is now.
    assert apply(client, former=TAKEN) == ADDRESS


@pytest.mark.parametrize(
    ("address", "path", "asked"),
    [
        (ADDRESS, SERVICE, [SERVICE]),
        ("", SERVICE, [SERVICE]),
        (CHOSEN, EXTRA, [SERVICE, EXTRA]),
        (TAKEN, SERVICE, [SERVICE, f"{SERVICE}-10-152-183-1"]),
    ],
)
def test_given_an_address_then_its_service_is_found_or_else_the_first_one(
    both: Client, api: FakeCluster, address: str, path: str, asked: list[str]
):
    assert services.of_address(both, address) == api.objects[path]
    assert api.requests == [f"GET {each}" for each in asked]


def test_given_an_address_then_it_is_the_charms_if_one_of_its_services_has_it(client: Client):
    assert services.has(client, ADDRESS) is False
    apply(client)

    assert services.has(client, ADDRESS) is True
    assert services.has(client, TAKEN) is False


@pytest.mark.parametrize(
    ("address", "error"),
    [
        ("None", Blocked(blocked.SERVICE_HEADLESS())),
        *((address, Waiting(waiting.CLUSTER_IP())) for address in (None, "pending")),
    ],
)
def test_given_a_service_without_an_address_then_the_status_says_who_must_act(
    address: str | None, error: Unready
):
    with pytest.raises(type(error)) as raised:
        services.cluster_ip({"spec": {"clusterIP": address}})

    assert str(raised.value) == str(error)

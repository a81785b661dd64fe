"""The Service's address: chosen once, kept, and why no Service can have one."""

from __future__ import annotations

import ops
import pytest
from tests.fakes.juju.model import OWNER, Model
from tests.fakes.kubernetes.faults import refusal
from tests.fakes.kubernetes.paths import ADDRESS, DEPLOYMENT, SERVICE
from tests.fakes.kubernetes.server import FakeCluster
from tests.fakes.kubernetes.services import CHOSEN, is_whole, take
from tests.fakes.machine import Files, rendered

from cluster import objects, references, services
from cluster.api import Client
from cluster.errors import errors_as_status
from errors import Blocked, Waiting
from statuses import blocked, options, waiting
from text import brief

TAKEN, OUTSIDE = "10.152.183.1", "192.0.2.7"
ALLOCATED = "spec.clusterIPs: provided IP is already allocated"
NOT_IN_RANGE = (
    "spec.clusterIPs: failed to allocate IP: the provided network does not match the current "
    "range. The range of valid IPs is 10.152.183.0/24"
)
NO_LABEL = "ValidatingAdmissionPolicy 'x' with binding 'x' denied request: Services need a label"


@pytest.fixture(autouse=True)
def _taken(api: FakeCluster) -> None:
    """Another Service has an address."""
    api.taken_addresses.add(TAKEN)


def apply(client: Client, chosen: str = "", former: str = "") -> str:
    with errors_as_status():
        stored = objects.get(client, references.SERVICE)
        return services.apply(client, OWNER, chosen, former, stored)


@pytest.mark.parametrize(
    ("chosen", "former", "address"),
    [
        ("", "", ADDRESS),
        (CHOSEN, "", CHOSEN),
        # What the control planes ask so far counts before the operator's choice.
        (CHOSEN, "10.152.183.44", "10.152.183.44"),
        # Another Service has it by now.
        ("", TAKEN, ADDRESS),
        (CHOSEN, TAKEN, CHOSEN),
    ],
)
def test_given_no_service_when_applied_then_it_gets_the_address_that_counts_and_keeps_it(
    client: Client, api: FakeCluster, chosen: str, former: str, address: str
):
    assert apply(client, chosen, former) == address
    assert api.objects[SERVICE]["spec"]["clusterIP"] == address

    api.forget()
    for other in ("", "10.152.183.45"):
        assert apply(client, other, former) == address
    assert api.changes == []


@pytest.mark.parametrize(
    ("address", "refused", "status"),
    [
        (TAKEN, "", options.ADDRESS_REFUSED(address=TAKEN, reason=ALLOCATED)),
        (OUTSIDE, "", options.ADDRESS_REFUSED(address=OUTSIDE, reason=brief(NOT_IN_RANGE))),
        (
            OUTSIDE,
            NO_LABEL,
            blocked.OBJECT_REJECTED(what="an object of this charm", reason=NO_LABEL),
        ),
    ],
)
@pytest.mark.parametrize("former", ["", TAKEN])
def test_given_a_chosen_address_that_no_service_can_have_then_the_status_says_why(
    client: Client, api: FakeCluster, address: str, refused: str, status: str, former: str
):
    if refused:
        api.fail(refusal(422, refused), request=f"PATCH {SERVICE}")

    with pytest.raises(Blocked) as raised:
        apply(client, address, former)

    assert str(raised.value) == status
    assert api.objects == {}


@pytest.mark.parametrize("address", [None, "pending"])
def test_given_a_service_without_an_address_then_it_is_waited_for(address: str | None):
    with pytest.raises(Waiting) as raised:
        services.cluster_ip({"spec": {"clusterIP": address}})

    assert str(raised.value) == waiting.CLUSTER_IP()


@pytest.mark.parametrize(("version", "wanted"), [("v1.33.9", None), ("v1.34.0", "PreferSameNode")])
def test_given_an_address_and_the_option_ahead_when_deployed_then_nobody_has_to_do_anything(
    model: Model, api: FakeCluster, files: Files, version: str, wanted: str | None
):
    files.auth_webhook.write_text(rendered(f"https://{CHOSEN}:443/authenticate"))
    model.endpoints = ("control-plane",)
    model.config["webhook-address"] = CHOSEN
    api.version = version
    model.settle()

    assert model.hook().name == "active"
    spec = api.objects[SERVICE]["spec"]
    # Each control plane asks the pod on its node, if the server can have that.
    assert (spec["clusterIP"], spec.get("trafficDistribution")) == (CHOSEN, wanted)


def test_given_a_service_when_another_address_is_chosen_then_that_is_refused_and_all_else_goes_on(
    deployed: Model, api: FakeCluster
):
    deployed.config = {"webhook-address": CHOSEN, "replicas": 3}
    deployed.settle()

    assert deployed.hook() == ops.BlockedStatus(
        "option webhook-address: the Service keeps its address; "
        f"run: juju config aws-iam webhook-address={ADDRESS}"
    )
    assert api.objects[SERVICE]["spec"]["clusterIP"] == deployed.peer["address"] == ADDRESS
    assert api.objects[DEPLOYMENT]["spec"]["replicas"] == 3
    deployed.config = {"webhook-address": ADDRESS}
    assert deployed.hook().name == "active"


def test_given_an_option_with_an_address_that_is_lost_then_each_unit_gives_the_command(
    asking: Model, api: FakeCluster
):
    """Somebody takes off the finalizer and deletes the Service, and another takes its address."""
    api.delete(SERVICE)
    take(api)
    asking.settle()

    url = f"https://{asking.peer['address']}:443/authenticate"
    for unit in (0, 1):
        assert asking.hook(unit=unit) == ops.BlockedStatus(
            "another webhook is set; if unused, run: "
            f"juju config kubernetes-control-plane authn-webhook-endpoint={url}"
        )
    assert f"another Service has {ADDRESS}, which control planes asked so far" in asking.log()


# A Service that somebody deletes by mistake, and an adversary who waits for its address.
#
# He may create Services in a namespace of his own, with a clusterIP of his choice. Whoever has the
# webhook's address gets people's tokens, and decides who they are.


@pytest.mark.parametrize("theirs", ["", "foregroundDeletion", "orphan", "example.com/theirs"])
def test_given_a_service_when_it_is_deleted_then_its_address_is_not_free_until_the_next_hook(
    deployed: Model, api: FakeCluster, theirs: str
):
    before = deployed.bags()
    api.kubectl_delete(SERVICE)
    if theirs:
        api.objects[SERVICE]["metadata"]["finalizers"].append(theirs)
    take(api)
    assert ADDRESS not in api.taken_addresses

    assert deployed.hook().name == "active"
    assert is_whole(api)
    assert api.objects[SERVICE]["spec"]["clusterIP"] == ADDRESS
    # Nothing is asked for while the address is anybody's.
    assert api.changes == [f"DELETE {SERVICE}", *[f"PATCH {SERVICE}"] * 2]
    assert deployed.bags() == before

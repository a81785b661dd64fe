"""An address that was the Service's and is another Service's now: somebody may answer logins."""

from __future__ import annotations

import ops
import pytest
from tests.fakes.juju.model import Model
from tests.fakes.kubernetes.paths import ADDRESS, SERVICE
from tests.fakes.kubernetes.server import FakeCluster
from tests.fakes.kubernetes.services import is_whole, take
from tests.fakes.machine import Files, rendered

TAKEN = ops.BlockedStatus(
    "another Service may answer logins; run: "
    "juju config kubernetes-control-plane authn-webhook-endpoint="
)


def lose(model: Model, api: FakeCluster) -> None:
    """Somebody takes off the finalizer and deletes the Service, and another takes its address."""
    api.delete(SERVICE)
    take(api)
    model.hook()


def test_given_somebody_quicker_than_the_charm_when_it_is_made_again_then_that_is_said_first(
    asking: Model, api: FakeCluster
):
    api.kubectl_delete(SERVICE)
    api.meanwhile(lambda: take(api), request=f"PATCH {SERVICE}", nth=2)
    api.start_seconds = None
    asking.config = {"image": "registry.example.com/aws-iam-authenticator:v0.7.17"}

    assert asking.hook() == TAKEN
    assert asking.hook(unit=1) == TAKEN
    assert is_whole(api)
    assert asking.peer["lost"] == ADDRESS
    assert f"another Service may have {ADDRESS}" in asking.log()


def test_given_an_address_of_anothers_when_the_command_was_run_then_the_new_one_is_to_be_set(
    asking: Model, api: FakeCluster, machines: list[Files]
):
    lose(asking, api)
    for number, files in enumerate(machines):
        files.auth_webhook.write_text(rendered(""))
        status = asking.hook(unit=number)

        assert status.message.startswith("webhook not set; run: juju config kubernetes-control-")
        assert asking.peer["address"] in status.message


def test_given_another_webhook_that_was_never_ours_when_a_hook_runs_then_it_is_named_as_before(
    asking: Model, api: FakeCluster, files: Files
):
    lose(asking, api)
    files.auth_webhook.write_text(rendered("https://10.152.183.99:443/authenticate"))

    assert asking.hook().message.startswith("another webhook is set: '10.152.183.99:443/auth")


def test_given_a_relation_when_the_address_is_anothers_then_the_control_plane_has_the_new_one(
    deployed: Model, api: FakeCluster, files: Files
):
    lose(deployed, api)

    assert deployed.hook().name == "active"
    assert ADDRESS not in files.webhook.read_text()


def test_given_a_chosen_address_when_it_is_anothers_then_that_is_said_and_leads_out_of_it(
    asking: Model, api: FakeCluster
):
    asking.config = {"webhook-address": ADDRESS}
    asking.settle()
    api.delete(SERVICE)
    take(api)

    assert asking.hook() == ops.BlockedStatus(
        "another Service may answer logins; run: juju config aws-iam webhook-address="
    )
    asking.config = {}
    assert asking.hook() == TAKEN


# A Service that somebody deletes by mistake, and an adversary who waits for its address.
#
# He may create Services in a namespace of his own, with a clusterIP of his choice. Whoever has the
# webhook's address gets people's tokens, and decides who they are.


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

"""An address that was the Service's and is another Service's now: somebody may answer logins."""

from __future__ import annotations

from collections.abc import Callable

import httpx2
import ops
import pytest
from tests.fakes import at_rest
from tests.fakes.juju.model import Easyrsa, Model
from tests.fakes.kubernetes.paths import ADDRESS, SERVICE
from tests.fakes.kubernetes.server import FakeCluster
from tests.fakes.machine import Files
from tests.scenarios.test_control_plane_option import rendered
from tests.scenarios.test_deleted_service import CHOSEN, is_whole, take

OURS = rendered(f"https://{ADDRESS}:443/authenticate")
TAKEN = ops.BlockedStatus(
    "another Service may answer logins; run: "
    "juju config kubernetes-control-plane --reset authn-webhook-endpoint"
)


@pytest.fixture
def newer(easyrsa: Easyrsa, api: FakeCluster, machines: list[Files]) -> Model:
    """Two units at rest, on control planes whose option names the Service's address."""
    for files in machines:
        files.auth_webhook.write_text(OURS)
    model = Model(easyrsa, machines, units=2, endpoints=("control-plane",))
    at_rest.settle(model, api)
    api.forget()
    return model


def meanwhile(api: FakeCluster, request: str, nth: int, act: Callable[[], object]) -> None:
    """Let somebody act right before the server has a request for the nth time."""

    def answer(sent: httpx2.Request) -> httpx2.Response:
        act()
        return api._handle(sent)

    api.fail(answer, request=request, nth=nth)


def lose(model: Model, api: FakeCluster) -> None:
    """Somebody takes off the finalizer and deletes the Service, and another takes its address."""
    api.delete(SERVICE)
    take(api)
    model.hook()


def test_given_somebody_quicker_than_the_charm_when_it_is_made_again_then_that_is_said_first(
    newer: Model, api: FakeCluster
):
    api.kubectl_delete(SERVICE)
    meanwhile(api, f"PATCH {SERVICE}", 2, lambda: take(api))
    api.start_seconds = None
    newer.config = {"image": "registry.example.com/aws-iam-authenticator:v0.7.17"}

    assert newer.hook() == TAKEN
    assert newer.hook(unit=1) == TAKEN
    assert is_whole(api)
    assert newer.peer["lost"] == ADDRESS
    assert f"another Service may have {ADDRESS}" in newer.log()


def test_given_an_address_of_anothers_when_the_command_was_run_then_the_new_one_is_to_be_set(
    newer: Model, api: FakeCluster, machines: list[Files]
):
    lose(newer, api)
    for number, files in enumerate(machines):
        files.auth_webhook.write_text(rendered(""))
        status = newer.hook(unit=number)

        assert status.message.startswith("webhook not set; run: juju config kubernetes-control-")
        assert newer.peer["address"] in status.message


def test_given_another_webhook_that_was_never_ours_when_a_hook_runs_then_it_is_named_as_before(
    newer: Model, api: FakeCluster, files: Files
):
    lose(newer, api)
    files.auth_webhook.write_text(rendered("https://10.152.183.99:443/authenticate"))

    assert newer.hook().message.startswith("another webhook is set: '10.152.183.99:443/auth")


def test_given_a_relation_when_the_address_is_anothers_then_the_control_plane_has_the_new_one(
    deployed: Model, api: FakeCluster, files: Files
):
    lose(deployed, api)

    assert deployed.hook().name == "active"
    assert ADDRESS not in files.webhook.read_text()


def test_given_a_chosen_address_when_it_is_anothers_then_that_is_said_and_leads_out_of_it(
    newer: Model, api: FakeCluster
):
    newer.config = {"webhook-address": ADDRESS}
    newer.settle()
    api.delete(SERVICE)
    take(api)

    assert newer.hook() == ops.BlockedStatus(
        "another Service may answer logins; run: juju config aws-iam --reset webhook-address"
    )
    newer.config = {}
    assert newer.hook() == TAKEN


def test_given_an_address_that_changes_by_choice_then_nobody_is_alarmed(
    newer: Model, api: FakeCluster
):
    newer.config = {"webhook-address": CHOSEN}
    status = newer.hook()

    assert status.message.startswith(f"another webhook is set: '{ADDRESS}:443/authenticate'; ")
    assert "lost" not in newer.peer


def test_given_an_address_that_comes_back_when_it_is_chosen_then_nobody_is_alarmed(
    newer: Model, api: FakeCluster
):
    lose(newer, api)
    api.taken_addresses.clear()
    newer.config = {"webhook-address": ADDRESS}

    assert newer.hook().name == "active"
    assert "lost" not in newer.peer

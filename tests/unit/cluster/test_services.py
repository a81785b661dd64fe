"""The option `webhook-address`, and an address that has changed: no address is freed meanwhile."""

from __future__ import annotations

import ops
import pytest
from tests.fakes.juju.model import Easyrsa, Model
from tests.fakes.kubernetes.paths import ADDRESS, SERVICE
from tests.fakes.kubernetes.server import FakeCluster
from tests.fakes.kubernetes.services import CHOSEN, EXTRA
from tests.fakes.machine import Files, rendered

from labels import FINALIZER


@pytest.fixture
def prepared(easyrsa: Easyrsa, api: FakeCluster, files: Files) -> Model:
    """On a control plane whose option was set before the charm was deployed."""
    files.auth_webhook.write_text(rendered(f"https://{CHOSEN}:443/authenticate"))
    return Model(easyrsa, [files], endpoints=("control-plane",))


def addresses(api: FakeCluster) -> dict[str, str]:
    """The ClusterIP of each of the charm's Services."""
    found = {path: stored for path, stored in api.objects.items() if path.startswith(SERVICE)}
    return {path: stored["spec"]["clusterIP"] for path, stored in found.items()}


def test_given_an_address_and_the_option_ahead_when_deployed_then_nobody_has_to_do_anything(
    prepared: Model, api: FakeCluster
):
    prepared.config["webhook-address"] = CHOSEN
    prepared.settle()

    assert prepared.hook().name == "active"
    assert addresses(api) == {SERVICE: CHOSEN}


def test_given_an_authenticator_when_another_address_is_chosen_then_the_former_one_serves_on(
    deployed: Model, api: FakeCluster, files: Files
):
    deployed.config["webhook-address"] = CHOSEN
    deployed.settle()

    assert deployed.hook().name == "active"
    assert addresses(api) == {SERVICE: ADDRESS, EXTRA: CHOSEN}
    assert all("selector" in api.objects[path]["spec"] for path in (SERVICE, EXTRA))
    assert deployed.peer["address"] == CHOSEN
    assert CHOSEN in files.webhook.read_text()


def test_given_a_service_that_others_made_again_when_the_former_address_is_free_then_it_serves(
    deployed: Model, api: FakeCluster
):
    api.objects[SERVICE]["spec"]["clusterIP"] = "10.152.183.99"
    deployed.settle()

    assert deployed.hook().name == "active"
    assert addresses(api) == {SERVICE: "10.152.183.99", f"{SERVICE}-10-152-183-20": ADDRESS}
    assert deployed.peer["address"] == ADDRESS


@pytest.mark.parametrize(("asked", "left"), [(ADDRESS, SERVICE), (CHOSEN, EXTRA)])
def test_given_two_services_when_removed_then_the_one_that_the_control_plane_asks_stays(
    deployed: Model,
    easyrsa: Easyrsa,
    api: FakeCluster,
    files: Files,
    monkeypatch: pytest.MonkeyPatch,
    asked: str,
    left: str,
):
    deployed.config["webhook-address"] = CHOSEN
    deployed.settle()
    files.auth_webhook.write_text(rendered(f"https://{asked}:443/authenticate"))
    goal = ops.hookcmds.GoalState(units={}, relations={})
    monkeypatch.setattr(ops.hookcmds, "goal_state", lambda: goal)
    for _ in range(2):
        # Of another unit, or of this one that was killed.
        deployed.hook(deployed.on.remove())

        assert addresses(api) == {left: asked}
        assert api.objects[left]["metadata"]["finalizers"] == [FINALIZER]
    again = Model(easyrsa, [files], endpoints=("control-plane",))
    again.config["webhook-address"] = asked
    again.settle()
    assert again.peer["address"] == asked
    assert api.objects[left]["spec"]["selector"]
    name = left.rpartition("/")[2]
    assert f'patch service {name} --patch "metadata: {{finalizers: null}}"; ' in deployed.log()
    assert f"delete service {name}'" in deployed.log()


@pytest.mark.parametrize(("version", "wanted"), [("v1.33.9", None), ("v1.34.0", "PreferSameNode")])
def test_given_a_servers_version_when_a_hook_runs_then_each_control_plane_asks_its_node_if_it_can(
    prepared: Model, api: FakeCluster, version: str, wanted: str | None
):
    api.version = "v1.33.9"
    prepared.settle()
    prepared.config["webhook-address"] = CHOSEN
    api.version = version
    prepared.hook()

    found = [stored["spec"] for path, stored in api.objects.items() if path.startswith(SERVICE)]
    assert [spec.get("trafficDistribution") for spec in found] == [wanted] * 2

"""Several units: one leads, the others need no cluster."""

from __future__ import annotations

import json

import httpx2
import ops
import pytest
from tests.fakes.juju.model import Easyrsa, Model, Silent
from tests.fakes.kubernetes.faults import ok
from tests.fakes.kubernetes.paths import DEPLOYMENT
from tests.fakes.kubernetes.server import FakeCluster
from tests.fakes.machine import Files

FOLLOWING = ops.ActiveStatus("ready")


@pytest.fixture
def no_cluster(monkeypatch: pytest.MonkeyPatch):
    """Whoever opens a connection to the cluster fails."""

    def explode(_: object) -> None:
        raise AssertionError("a unit that does not lead asks the cluster")

    monkeypatch.setattr("cluster.api.connect", explode)


def test_given_a_unit_that_does_not_lead_when_the_leader_serves_then_it_hands_over_by_itself(
    two: Model, machines: list[Files], no_cluster: None
):
    machines[1].webhook.unlink()
    # A unit that begins anew.
    two.units[1].webhook.clear()
    two.units[1].stored = frozenset()

    assert two.hook(unit=1) == FOLLOWING
    assert machines[1].webhook.read_text() == machines[0].webhook.read_text()
    assert two.published(1) == two.published(0)


def test_given_a_leader_that_has_not_deployed_when_another_units_hook_runs_then_it_waits(
    easyrsa: Easyrsa, machines: list[Files], no_cluster: None
):
    model = Model(easyrsa, machines, units=2)

    assert model.hook(unit=1) == ops.WaitingStatus(
        "waiting for the leader to deploy the authenticator"
    )
    assert not machines[1].webhook.exists()
    assert model.units[1].webhook == {}


@pytest.mark.parametrize("leaders", [(1,), (1, 0)], ids=["another", "the first again"])
def test_given_another_leader_when_it_settles_then_all_else_is_as_it_was(
    two: Model, api: FakeCluster, machines: list[Files], leaders: tuple[int, ...]
):
    peer, file = dict(two.peer), machines[0].webhook.read_text()
    published = two.published(0)
    for leader in leaders:
        two.leader = leader
        two.settle()

    leading, other = two.units[leaders[-1]], two.units[1 - leaders[-1]]
    assert two.peer == peer
    assert [unit.status.name for unit in two.units] == ["active", "active"]
    assert other.status == FOLLOWING
    assert json.loads(leading.certificates["cert_requests"])
    assert machines[0].webhook.read_text() == file
    assert two.published(0) == two.published(1) == published


def test_given_a_leader_that_loses_leadership_while_it_waits_for_pods_then_its_hook_ends_waiting(
    model: Model, api: FakeCluster, monkeypatch: pytest.MonkeyPatch
):
    def lose_leadership(_: httpx2.Request) -> httpx2.Response:
        monkeypatch.setattr(ops.RelationDataContent, "update", refuse)
        return ok(api.objects[DEPLOYMENT])

    def refuse(data: object, values: object) -> None:
        raise ops.RelationDataAccessError("aws-iam/0 is not leader")

    model.answer()
    model.hook()
    model.answer()
    api.fail(lose_leadership, request=f"GET {DEPLOYMENT}", nth=2)

    assert model.hook() == ops.WaitingStatus("waiting for the new leader")
    assert "serving" not in model.peer


def test_given_units_that_all_went_when_others_come_then_nothing_of_before_is_published(
    easyrsa: Easyrsa, api: FakeCluster, machines: list[Files]
):
    model = Model(easyrsa, machines, units=2)
    model.settle()
    before = dict(model.peer)
    api.clear()
    for machine in machines:
        machine.webhook.unlink()

    model.peer["inherited"] = "true"
    model.first_relation += 1
    model.provider = Silent()
    for unit in model.units:
        unit.webhook.clear()
    model.settle()

    assert [machine.webhook.exists() for machine in machines] == [False, False]
    assert [unit.webhook for unit in model.units] == [{}, {}]
    assert model.peer["cluster-id"] == before["cluster-id"]
    assert model.peer["address"] == before["address"]
    assert {"serving", "ca"}.isdisjoint(model.peer)
    # The reactive charm's leader data is still there to be removed.
    assert model.peer["inherited"] == "true"


@pytest.mark.parametrize(("key", "value"), [("address", ""), ("ca", ""), ("ca", "}")])
def test_given_peer_data_without_a_part_when_a_hook_runs_then_the_webhook_file_stays_as_it_is(
    two: Model, machines: list[Files], key: str, value: str
):
    file = machines[1].webhook.read_text()
    two.peer[key] = value
    two.hook(unit=1)

    assert machines[1].webhook.read_text() == file

"""How much a hook asks of Juju: each hook tool is a process, and most are a request of it."""

from __future__ import annotations

import pytest
from tests.fakes.juju.model import Easyrsa, Model
from tests.fakes.kubernetes.server import FakeCluster
from tests.fakes.machine import Files


def test_given_a_settled_leader_when_a_hook_runs_then_it_calls_twelve_hook_tools(two: Model):
    two.hook()
    status = two.hook()

    said = f"status-set {status.name} {status.message}"
    assert status.name == "active"
    assert sorted(two.units[0].tools) == sorted(
        [
            *("is-leader", "config-get", "relation-ids peers", "relation-get 1 aws-iam"),
            *("relation-ids certificates", "relation-list 9", "relation-get 9 easyrsa/0"),
            *("relation-ids aws-iam", "relation-list 2"),
            *("relation-get 2 kubernetes-control-plane/0", said, said),
        ]
    )


def test_given_a_settled_unit_that_does_not_lead_when_a_hook_runs_then_it_calls_eight(two: Model):
    two.hook(unit=1)
    status = two.hook(unit=1)

    assert status.name == "active"
    assert sorted(two.units[1].tools) == sorted(
        [
            *("is-leader", "config-get", "relation-ids peers", "relation-get 1 aws-iam"),
            *("relation-ids aws-iam", "relation-list 2"),
            "relation-get 2 kubernetes-control-plane/1",
            f"status-set {status.name} {status.message}",
        ]
    )


@pytest.mark.parametrize("event", ["install", "leader_elected", "config_changed", "start"])
def test_given_a_unit_without_its_control_plane_when_a_hook_runs_then_it_asks_for_that_only(
    easyrsa: Easyrsa, api: FakeCluster, files: Files, event: str
):
    model = Model(easyrsa, [files], endpoints=())
    status = model.hook(getattr(model.on, event)())

    said = f"status-set {status.name} {status.message}"
    assert api.seen == []
    assert model.units[0].tools == [
        *("relation-ids aws-iam", "relation-ids control-plane", "goal-state"),
        *("is-leader", said, said),
    ]


def test_given_no_relation_in_a_former_hook_when_one_is_created_then_the_unit_sees_it(
    easyrsa: Easyrsa, api: FakeCluster, files: Files
):
    model = Model(None, [files], endpoints=())
    model.hook()
    model.endpoints = ("aws-iam",)
    assert model.hook().message.startswith("no certificate authority; run: juju integrate ")
    model.provider = easyrsa
    model.settle()

    assert model.hook().name == "active"


def test_given_words_that_a_killed_hook_lost_when_the_next_one_runs_then_it_says_them_again(
    deployed: Model,
):
    unit = deployed.units[0]
    before = dict(unit.webhook)
    deployed.config = {"cluster-id": "another"}
    deployed.hook()
    # The hook had come to its end, and Juju took nothing of what it wrote.
    unit.webhook = before
    deployed.hook()

    assert deployed.published()["cluster_id"] == "another"

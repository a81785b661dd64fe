"""What a unit says can be given to Juju, and read: short lines of printable characters."""

from __future__ import annotations

import json

import ops
import ops.testing
import pytest
from tests.fakes.juju.model import Easyrsa, Model
from tests.fakes.kubernetes.faults import answer, refusal
from tests.fakes.kubernetes.paths import MAPPINGS, SERVICE
from tests.fakes.kubernetes.server import FakeCluster
from tests.fakes.machine import Files

LONG = "x" * 140_000


def list_mapping(api: FakeCluster, name: str, arn: str) -> None:
    """Let the cluster list this mapping alone."""
    body = {"items": [{"metadata": {"name": name}, "spec": {"arn": arn}}]}
    api.fail(answer(200, json.dumps(body).encode()), request=f"GET {MAPPINGS}")


@pytest.mark.parametrize("name", ["odd", LONG, "a\0b\n\u202e"])
@pytest.mark.parametrize(("arn", "shown"), [(LONG, "xxx...'"), ("a\0b", r"'a\x00b'")])
def test_given_a_mapping_that_somebody_made_to_harm_when_a_hook_runs_then_the_unit_is_active(
    deployed: Model, api: FakeCluster, name: str, arn: str, shown: str
):
    list_mapping(api, name, arn)

    status = deployed.hook()

    assert isinstance(status, ops.ActiveStatus)
    assert status.message.startswith(f"2/2 pods, 1 mapping, 1 broken mapping: {name[0]}")
    said = f"{shown} is not an ARN such as arn:aws:iam::111122223333:role/admin"
    assert status.message.endswith(said)


@pytest.mark.parametrize("message", [LONG, "a\0b\x1b\u2028"])
def test_given_such_a_refusal_of_the_cluster_when_a_hook_runs_then_the_status_is_one_line(
    deployed: Model, api: FakeCluster, message: str
):
    api.fail(refusal(403, message), request=f"GET {SERVICE}")

    assert isinstance(deployed.hook(), ops.BlockedStatus)


def test_given_several_units_then_the_application_has_the_leaders_line(two: Model):
    assert [unit.version for unit in two.units] == ["v0.7.18", "v0.7.18"]
    assert two.status == two.units[0].status
    assert two.status.message.startswith("2/2 pods, ")

    two.leader = 1
    two.settle()

    assert two.status == two.units[1].status
    assert two.status.message.startswith("2/2 pods, ")


@pytest.mark.parametrize("answers", [True, False])
def test_given_a_relation_that_may_be_about_to_come_when_a_unit_begins_then_it_waits(
    easyrsa: Easyrsa, files: Files, monkeypatch: pytest.MonkeyPatch, answers: bool
):
    def goal_state() -> ops.hookcmds.GoalState:
        if answers:
            return ops.hookcmds.GoalState(units={}, relations={"aws-iam": {}})
        raise ops.hookcmds.Error(returncode=1, cmd=["goal-state"], stderr="ERROR no")

    monkeypatch.setattr(ops.hookcmds, "goal_state", goal_state)
    model = Model(easyrsa, [files], endpoints=())

    assert model.hook(model.on.install()) == ops.WaitingStatus(
        "waiting for kubernetes-control-plane to join"
    )

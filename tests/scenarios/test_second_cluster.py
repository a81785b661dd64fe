"""An application that somebody integrates with the control plane of a second cluster, by mistake.

Juju shows each of its units only the relation with its own principal.
"""

from __future__ import annotations

import datetime

import ops
import pytest
from tests.fakes.certificates.authority import root
from tests.fakes.juju.model import Easyrsa, Model
from tests.fakes.kubernetes.server import FakeCluster
from tests.fakes.machine import Files

REMOVE = "two control planes; run: juju remove-relation aws-iam:{endpoint} other:{theirs}"


@pytest.fixture(params=["aws-iam", "control-plane"])
def both(
    request: pytest.FixtureRequest,
    easyrsa: Easyrsa,
    machines: list[Files],
    monkeypatch: pytest.MonkeyPatch,
) -> Model:
    """Deployed on one cluster, with a new unit on another."""
    model = Model(easyrsa, machines, endpoints=(request.param,), units=1)
    model.settle()
    model.principals = {1: "other"}
    now = datetime.datetime.now(datetime.timezone.utc)
    names = ("kubernetes-control-plane", "kubernetes-control-plane/0", "other", "other/1")
    goals = {name: ops.hookcmds.Goal(status="active", since=now) for name in names}
    found = ops.hookcmds.GoalState(units={}, relations={request.param: goals})
    monkeypatch.setattr(ops.hookcmds, "goal_state", lambda: found)
    model.add_unit()
    model.hook(unit=1)
    model.hook()
    return model


def removal(model: Model) -> str:
    (endpoint,) = model.endpoints
    theirs = endpoint.replace("control-plane", "juju-info")
    return REMOVE.format(endpoint=endpoint, theirs=theirs)


def test_given_a_unit_on_a_second_cluster_when_its_hook_runs_then_its_relation_is_to_go(
    both: Model, machines: list[Files]
):
    assert both.hook(unit=1).message == removal(both)
    assert not machines[1].webhook.exists()


def test_given_a_unit_on_a_second_cluster_when_it_leads_then_the_first_cluster_is_not_forgotten(
    both: Model,
):
    before = dict(both.peer)

    both.leader = 1
    assert both.hook(both.on.leader_elected(), unit=1).message == removal(both)

    assert both.peer == before


def test_given_a_unit_on_a_second_cluster_when_the_authority_changes_then_nobody_waits_for_it(
    both: Model, api: FakeCluster
):
    both.provider = Easyrsa(root("new"))
    both.answer()
    both.hook(both.changed("certificates"))
    both.answer()
    both.hook(both.changed("certificates"))

    assert api.secret("ca.pem") == root("new").certificate

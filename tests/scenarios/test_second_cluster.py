"""An application that somebody integrates with the control plane of a second cluster, by mistake.

Juju lists for each of its units the relation with its own principal, and 4.0 the other one too for
a unit that comes later.
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
def endpoint(request: pytest.FixtureRequest) -> str:
    """Return the endpoint that leads to both control planes."""
    return request.param


@pytest.fixture(params=[False, True], ids=["3.6", "4.0"])
def both(
    request: pytest.FixtureRequest,
    endpoint: str,
    easyrsa: Easyrsa,
    machines: list[Files],
    monkeypatch: pytest.MonkeyPatch,
) -> Model:
    """Deployed on one cluster, with a new unit on another."""
    model = Model(easyrsa, machines, endpoints=(endpoint,), units=1)
    model.settle()
    model.principals, model.lists_all = {1: "other"}, request.param
    now = datetime.datetime.now(datetime.timezone.utc)
    names = ("kubernetes-control-plane", "kubernetes-control-plane/0", "other", "other/1")
    goals = {name: ops.hookcmds.Goal(status="active", since=now) for name in names}
    found = ops.hookcmds.GoalState(units={}, relations={endpoint: goals})
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


def test_given_a_unit_on_a_second_cluster_when_its_relation_goes_then_it_goes(
    both: Model, endpoint: str
):
    both.hook(both.broken(endpoint, unit=1), unit=1)

    assert both.units[1].status.message == "waiting for Juju to remove this unit"

"""A unit that goes changes nothing any more, whichever of its relations Juju ends first."""

from __future__ import annotations

from unittest import mock

import ops
import pytest
from tests.fakes import alarms
from tests.fakes.acting import grant
from tests.fakes.juju.model import Model
from tests.fakes.kubernetes.paths import DEFINED
from tests.fakes.kubernetes.server import FakeCluster
from tests.fakes.machine import Files

GOING = ops.WaitingStatus("waiting for Juju to remove this unit")


@pytest.fixture
def going(deployed: Model, monkeypatch: pytest.MonkeyPatch) -> Model:
    """A unit of which Juju says that it departs."""
    own = property(lambda event: event.framework.model.unit)
    monkeypatch.setattr(ops.RelationDepartedEvent, "departing_unit", own)
    return deployed


def test_given_a_unit_that_goes_when_its_authority_departs_first_then_that_hook_alone_cleans_up(
    going: Model, api: FakeCluster, files: Files
):
    departed = going.hook(going.on.relation_departed(going.relation("certificates")))

    assert departed == GOING
    assert not any("aws-iam-authenticator" in path for path in api.objects)
    # The control plane has yet to hear that it must not look for the file.
    assert files.webhook.exists()

    api.forget()
    for event in (
        going.broken("certificates"),
        going.on.relation_departed(going.relation("aws-iam")),
        going.broken("aws-iam"),
        going.on.stop(),
        going.on.remove(),
    ):
        assert going.hook(event) == GOING
    assert api.changes == []
    assert not files.webhook.exists()


# Juju 4 lets the last unit, if it is blocked, out of its peer relation, and still lists that.


@pytest.fixture
def cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    denied = ops.hookcmds.Error(returncode=1, cmd=["relation-get"], stderr="permission denied")
    monkeypatch.setattr(ops.hookcmds, "relation_get", mock.Mock(side_effect=denied))


def left(api: FakeCluster) -> set[str]:
    return {path for path in api.objects if "/events" not in path}


def test_given_a_unit_without_its_peer_relation_when_its_alarm_rings_then_that_hook_cleans_up(
    deployed: Model, api: FakeCluster, request: pytest.FixtureRequest
):
    grant(deployed, for_="30m")
    deployed.hook()
    assert alarms.rings(deployed, api)
    request.getfixturevalue("cut_off")
    deployed.expire("alarm")

    assert deployed.units[0].status == GOING
    assert left(api) == {*DEFINED}


@pytest.mark.parametrize("event", ["update_status", "config_changed", "leader_elected", "stop"])
def test_given_a_unit_without_its_peer_relation_when_any_hook_runs_then_it_cleans_up(
    deployed: Model, api: FakeCluster, files: Files, request: pytest.FixtureRequest, event: str
):
    request.getfixturevalue("cut_off")

    assert deployed.hook(getattr(deployed.on, event)()) == GOING
    assert left(api) == {*DEFINED}
    assert not files.webhook.exists()


@pytest.mark.usefixtures("cut_off")
def test_given_a_new_unit_that_may_not_read_its_peer_relation_yet_then_it_does_not_go(
    model: Model, api: FakeCluster
):
    before = set(api.objects)
    for event in (model.on.install(), model.on.config_changed(), None):
        status = model.hook(event)
        assert status.name == "waiting"
        assert status != GOING

    assert set(api.objects) == before
    assert api.changes == []

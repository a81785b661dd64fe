"""A unit that goes changes nothing any more, whichever of its relations Juju ends first."""

from __future__ import annotations

from collections.abc import Iterator
from unittest import mock

import ops
import pytest
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
def denied() -> Iterator[pytest.MonkeyPatch]:
    error = ops.hookcmds.Error(returncode=1, cmd=["relation-get"], stderr="permission denied")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ops.hookcmds, "relation_get", mock.Mock(side_effect=error))
        yield patch


def test_given_a_unit_that_stays_when_juju_denies_it_its_databag_then_it_waits_and_goes_on(
    deployed: Model, api: FakeCluster, files: Files, denied: pytest.MonkeyPatch
):
    stored, file = dict(api.objects), files.webhook.read_text()
    for event in (deployed.on.update_status(), deployed.on.config_changed()):
        assert deployed.hook(event) == ops.WaitingStatus(
            "waiting for Juju to set up the peer relation"
        )

    denied.undo()
    assert deployed.hook().name == "active"
    assert (api.objects, files.webhook.read_text()) == (stored, file)
    assert api.changes == []


@pytest.mark.usefixtures("denied")
def test_given_a_unit_without_its_peer_relation_when_it_stops_then_that_hook_cleans_up(
    deployed: Model, api: FakeCluster, files: Files
):
    assert deployed.hook(deployed.on.stop()) == GOING
    assert {path for path in api.objects if "/events" not in path} == {*DEFINED}
    assert not files.webhook.exists()

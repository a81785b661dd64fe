"""A unit that waits, or that a person must help, goes on with all that does not depend on that."""

from __future__ import annotations

import pytest
from tests.fakes.certificates.authority import root
from tests.fakes.collecting import config, relate
from tests.fakes.juju.model import Easyrsa, Model
from tests.fakes.kubernetes.server import FakeCluster
from tests.fakes.machine import Files


@pytest.mark.usefixtures("api")
def test_given_an_option_that_cannot_work_when_a_control_plane_is_added_then_people_log_in_there(
    easyrsa: Easyrsa, machines: list[Files]
):
    model = Model(easyrsa, machines, units=1)
    model.settle()
    model.config = {"replicas": 0}
    model.hook()
    model.add_unit()

    assert model.hook(unit=1).name == "blocked"
    assert machines[1].webhook.exists()
    assert model.published(1)["webhook_status"] is True


def test_given_an_option_that_cannot_work_when_a_file_is_lost_then_it_is_there_again(
    two: Model, machines: list[Files]
):
    two.config = {"replicas": 0}
    for number, machine in enumerate(machines):
        machine.webhook.unlink()
        assert two.hook(unit=number).name == "blocked"
        assert machine.webhook.exists()


@pytest.mark.parametrize("unit", [0, 1], ids=["leader", "another unit"])
def test_given_an_api_server_that_is_down_when_its_file_is_lost_then_it_is_there_again(
    two: Model, machines: list[Files], unit: int
):
    """It may be down because the file that its flag names is not there."""
    machines[unit].webhook.unlink()
    two.units[unit].control_plane["api_server_state"] = "false"

    assert two.hook(unit=unit).name == "waiting"
    assert machines[unit].webhook.exists()


def test_given_an_api_server_that_is_down_when_the_authority_changes_then_others_go_on(
    two: Model, api: FakeCluster
):
    two.units[1].control_plane["api_server_state"] = "false"
    two.provider = Easyrsa(root("new"))
    two.answer()
    two.hook(two.changed("certificates"))
    two.hook(two.changed("peers", unit=1), unit=1)
    two.hook(two.changed("peers"))

    assert api.secret("ca.pem") == root("new").certificate


def test_given_a_former_leader_whose_api_server_is_down_then_it_has_nothing_scraped(
    two: Model, api: FakeCluster
):
    api.add_pod("a", podIP="10.1.0.2", phase="Running")
    relate(two)
    two.settle()
    assert config(two, 0)["metrics_scrape_jobs"]
    two.units[0].control_plane["api_server_state"] = "false"

    two.leader = 1
    two.hook(two.on.leader_elected(), unit=1)
    two.answer()
    two.settle()

    assert config(two, 1)["metrics_scrape_jobs"]
    assert not config(two, 0)["metrics_scrape_jobs"]

"""The last hooks of a subordinate, and what stays."""

from __future__ import annotations

import pytest

from operators import Operator
from testbed.juju.manner import Manner
from unit.juju.charms import AUTHORITY, PRINCIPAL, SUBORDINATE, pack


@pytest.fixture(scope="module")
def riders(juju: Operator) -> Operator:
    """Deploy two hosts with a rider each, and an authority."""
    pack(juju.folder, PRINCIPAL)
    pack(juju.folder, SUBORDINATE)
    pack(juju.folder, AUTHORITY)
    juju("deploy", "./host.charm", "-n", "2")
    juju("deploy", "./rider.charm")
    juju("deploy", "./authority.charm", "--to", "0")
    juju("integrate", "rider:things", "host:things")
    juju("integrate", "rider:certificates", "authority:client")
    juju.settle()
    return juju


def rider_of(juju: Operator, host: str) -> str:
    (rider,) = juju.unit(host)["subordinates"]
    return rider


def test_the_hooks_of_a_start_come_in_jujus_order(riders: Operator) -> None:
    ran = riders.hooks("host/0")

    first = [hook for hook in ran if hook in ("install", "config-changed", "start")]
    assert ran[0] == "install"
    assert first[:3] == ["install", "config-changed", "start"]
    assert ran.index("friends-relation-created") < ran.index("config-changed")
    assert ran.index("things-relation-created") < ran.index("things-relation-joined")
    assert ran.index("things-relation-joined") < ran.index("things-relation-changed")


def test_new_options_run_config_changed(riders: Operator) -> None:
    before = riders.hooks("host/0").count("config-changed")
    riders("model-config", "update-status-hook-interval=1h")

    pack(riders.folder, PRINCIPAL, config={"colour": {"type": "string"}}, name="next")
    riders("refresh", "host", "--path", "./next.charm")
    riders.settle()
    ran = riders.hooks("host/0")
    riders("config", "host", "colour=red")
    riders.settle()

    upgrade = ran.index("upgrade-charm")
    assert ran[upgrade : upgrade + 2] == ["upgrade-charm", "config-changed"]
    assert ran.count("config-changed") == before + 1
    assert riders.status()["applications"]["host"]["charm-rev"] == 1
    assert riders.hooks("host/0")[len(ran) :] in (["config-changed"], ["config-changed"] * 2)


def test_a_removed_unit_leaves_with_its_subordinate_and_the_others_stay(riders: Operator) -> None:
    stays = rider_of(riders, "host/0")

    riders("remove-unit", "--no-prompt", "host/1")
    riders.settle()

    assert list(riders.status()["applications"]["host"]["units"]) == ["host/0"]
    assert rider_of(riders, "host/0") == stays
    assert "things-relation-broken" not in riders.hooks(stays)


def test_a_removed_subordinate_leaves_every_relation_and_the_hosts_stay(riders: Operator) -> None:
    rider = rider_of(riders, "host/0")
    before = len(riders.hooks(rider))

    riders("remove-application", "--no-prompt", "rider")
    riders.settle()

    ran = riders.hooks(rider)[before:]
    assert sorted(riders.status()["applications"]) == ["authority", "host"]
    for endpoint in ("certificates", "things"):
        departed, broken = (f"{endpoint}-relation-{kind}" for kind in ("departed", "broken"))
        assert ran.index(departed) < ran.index(broken)
    if riders.manner is Manner.JUJU_3_6:
        # The real 3.6 may break the peer relation after `stop`.
        assert ("stop" in ran, ran[-1]) == (True, "remove")
    assert "things-relation-broken" in riders.hooks("host/0")


def test_an_application_without_units_keeps_the_status_that_its_leader_set(
    riders: Operator,
) -> None:
    riders("deploy", "./rider.charm", "late")
    riders("integrate", "late:things", "host:things")
    riders.settle()
    names = ("late/0", "late/1")
    leader = next(name for name in names if riders.inside(name, "is-leader") == "True")
    riders.inside(leader, "status-set --application active serves")

    riders("remove-relation", "late:things", "host:things")
    riders.settle()

    shown = riders.status()["applications"]["late"]["application-status"]
    assert (shown["current"], shown["message"]) == ("active", "serves")

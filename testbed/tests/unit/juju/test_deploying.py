"""`juju deploy` of charms, add-unit and integrate."""

from __future__ import annotations

import pytest

from unit.juju.charms import AUTHORITY, COLLECTOR, PRINCIPAL, SUBORDINATE, pack
from unit.juju.conftest import Juju

OPTIONS = {"colour": {"type": "string", "default": "red"}, "size": {"type": "int"}}


def test_a_charm_file_becomes_an_active_unit(juju: Juju) -> None:
    pack(juju.folder, PRINCIPAL)

    juju("deploy", "./host.charm")
    juju.settle()

    application = juju.status()["applications"]["host"]
    assert application["application-status"]["current"] == "active"
    assert application["charm"] == "local:host-0"
    assert application["units"]["host/0"]["leader"]
    assert juju.hooks("host/0") == [
        "install",
        "friends-relation-created",
        "leader-elected",
        "config-changed",
        "start",
    ]


def test_units_are_placed_where_the_command_says(juju: Juju) -> None:
    pack(juju.folder, PRINCIPAL)
    pack(juju.folder, AUTHORITY)
    juju("deploy", "./host.charm", "-n", "2")
    juju("deploy", "./authority.charm", "--to", "1")
    juju("add-unit", "authority", "-n", "2", "--to", "0,new")
    juju.settle()

    units = juju.status()["applications"]["authority"]["units"]
    assert [units[f"authority/{n}"]["machine"] for n in range(3)] == ["1", "0", "2"]


@pytest.mark.parametrize(
    ("metadata", "arguments", "refusal"),
    [
        (PRINCIPAL + "assumes: [juju >= 4.0]\n", (), "Juju version >= 4.0.0"),
        (PRINCIPAL, ("--config", "size=big"), 'option "size" expected int, got "big"'),
        (PRINCIPAL, ("--base", "ubuntu@20.04"), 'base "ubuntu@20.04" is not supported by charm'),
        (PRINCIPAL, ("--to", "7"), "machine 7 not found"),
        (PRINCIPAL, ("--overlay", "x.yaml"), "not supported when deploying a charm: --overlay"),
        (SUBORDINATE, ("-n", "2"), "with subordinate application"),
        (PRINCIPAL.replace("website:", "juju-web:"), (), 'reserved relation name: "juju-web"'),
        (SUBORDINATE.replace("container", "global"), (), 'lacks "requires" relation with'),
    ],
)
def test_a_charm_that_juju_would_not_deploy_is_refused(
    juju: Juju, metadata: str, arguments: tuple[str, ...], refusal: str
) -> None:
    pack(juju.folder, metadata, config=OPTIONS, bases=("22.04", "24.04"), name="it")

    assert refusal in juju.refused("deploy", "./it.charm", *arguments)
    assert not juju.status()["applications"]


def test_a_charm_that_does_not_exist_is_not_found(juju: Juju) -> None:
    (juju.folder / "broken.charm").write_text("no archive")

    assert "cannot read charm archive" in juju.refused("deploy", "./broken.charm")
    assert 'charm or bundle "nothing" not found' in juju.refused("deploy", "nothing")


def test_an_unknown_track_is_refused_with_the_known_ones(juju: Juju) -> None:
    for track in ("1.28", "1.29"):
        pack(juju.lab.charm_store, PRINCIPAL, name=f"host_{track}")

    assert "available: 1.28, 1.29" in juju.refused("deploy", "host", "--channel", "1.30/stable")
    juju("deploy", "host")
    assert juju.status()["applications"]["host"]["charm-channel"] == "1.29/stable"


def test_two_subordinates_of_one_principal_see_each_other_and_no_other_units(juju: Juju) -> None:
    for metadata in (PRINCIPAL, SUBORDINATE, COLLECTOR):
        pack(juju.folder, metadata)
    juju("deploy", "./host.charm", "-n", "2")
    juju("deploy", "./rider.charm")
    juju("deploy", "./collector.charm")
    juju("integrate", "rider", "host")
    juju("integrate", "rider", "collector")
    juju.settle()

    # Neither of two subordinates brings the other.
    assert "units" not in juju.status()["applications"]["collector"]
    units = juju.status()["applications"]["host"]["units"].values()
    assert [len(unit["subordinates"]) for unit in units] == [1, 1]

    juju("integrate", "collector", "host")
    juju.settle()

    for unit in juju.status()["applications"]["host"]["units"].values():
        collector, rider = sorted(unit["subordinates"])
        assert list(juju.shown(collector, "figures")["related-units"]) == [rider]
        assert "figures-relation-joined" in juju.hooks(rider)

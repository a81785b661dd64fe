"""`juju deploy` of charms and bundles, add-unit and integrate."""

from __future__ import annotations

import pytest

from testbed.juju.manner import Manner
from testbed.juju.state import bases
from unit.juju.charms import AUTHORITY, COLLECTOR, PRINCIPAL, SUBORDINATE, pack
from unit.juju.conftest import Juju, in_manner

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
        (PRINCIPAL, ("--config", "size=big"), 'option "size" expected int, got "big"'),
        (PRINCIPAL, ("--base", "ubuntu@20.04"), 'base "ubuntu@20.04" is not supported by charm'),
        (PRINCIPAL, ("--to", "7"), "machine 7 not found"),
        (SUBORDINATE, ("-n", "2"), "with subordinate application"),
    ],
)
def test_a_charm_that_juju_would_not_deploy_is_refused(
    juju: Juju, metadata: str, arguments: tuple[str, ...], refusal: str
) -> None:
    pack(juju.folder, metadata, config=OPTIONS, bases=("22.04", "24.04"), name="it")

    assert refusal in juju.refused("deploy", "./it.charm", *arguments)
    assert not juju.status()["applications"]


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


@pytest.mark.parametrize(
    ("supported", "wanted", "chosen"),
    [
        (("22.04", "24.04", "26.04"), "ubuntu@22.04/stable", "22.04"),
        (("22.04", "24.04", "26.04"), "", "24.04"),
        (("26.04", "22.04"), "", "26.04"),
    ],
)
def test_a_base_is_the_wanted_one_or_the_latest_lts_or_the_charms_first(
    supported: tuple[str, ...], wanted: str, chosen: str
) -> None:
    listed = tuple(f"ubuntu@{base}" for base in supported)

    assert bases.choose("it", listed, wanted) == f"ubuntu@{chosen}"


@in_manner(Manner.JUJU_4_1)
def test_on_4_1_a_subordinate_joins_only_on_the_same_base(juju: Juju) -> None:
    pack(juju.folder, PRINCIPAL, bases=("22.04", "24.04"))
    pack(juju.folder, SUBORDINATE, bases=("22.04", "24.04"))
    juju("deploy", "./host.charm", "--base", "ubuntu@22.04")
    juju("deploy", "./rider.charm")
    juju("deploy", "./rider.charm", "same", "--base", "ubuntu@22.04")

    refusal = juju.refused("integrate", "rider:things", "host:things")
    juju("integrate", "same:things", "host:things")

    assert refusal == (
        'ERROR adding relation between endpoints "rider:things" and "host:things": cannot add '
        'relation "rider:things", "host:things": no compatible bases found for application '
        '"rider" and "host"\n'
    )


@in_manner(*Manner)
@pytest.mark.parametrize(
    ("bases", "architectures", "refusal"),
    [
        ((), ("amd64",), "charm without manifest not valid"),
        (("24.04",), ("amd64", "arm64"), "cannot insert application with an empty architecture"),
    ],
)
def test_4_1_alone_refuses_a_file_without_a_manifest_or_for_several_architectures(
    juju: Juju, bases: tuple[str, ...], architectures: tuple[str, ...], refusal: str
) -> None:
    pack(juju.folder, PRINCIPAL, bases=bases, architectures=architectures)

    done = juju.try_("deploy", "./host.charm")

    newer = juju.controller.manner is Manner.JUJU_4_1
    assert (done.returncode, refusal in done.stderr) == ((1, True) if newer else (0, False))


BUNDLE = """
applications:
  host: {charm: host, num_units: 2, options: {colour: blue, size: 1}}
  authority: {charm: authority, num_units: 1}
relations:
- ['host:certificates', 'authority:client']
"""
RIDING = """
applications:
  rider: {charm: rider}
  host: {options: {colour: include-file://colour}}
relations:
- [rider, host]
- [rider, authority]
"""


def test_an_overlay_adds_applications_options_and_relations(juju: Juju) -> None:
    pack(juju.lab.charm_store, PRINCIPAL, config=OPTIONS)
    for metadata in (SUBORDINATE, AUTHORITY):
        pack(juju.lab.charm_store, metadata)
    for name, text in {"bundle.yaml": BUNDLE, "riding.yaml": RIDING, "colour": "red"}.items():
        (juju.folder / name).write_text(text)

    juju("deploy", "./bundle.yaml", "--overlay", str(juju.folder / "riding.yaml"))
    juju.settle()

    applications = juju.status()["applications"]
    assert sorted(applications) == ["authority", "host", "rider"]
    assert juju("config", "host", "colour") == "red\n"
    assert juju("config", "host", "size") == "1\n"
    riders = [
        each for unit in applications["host"]["units"].values() for each in unit["subordinates"]
    ]
    assert sorted(riders) == ["rider/0", "rider/1"]
    assert sorted(applications["rider"]["relations"]) == ["certificates", "riders", "things"]

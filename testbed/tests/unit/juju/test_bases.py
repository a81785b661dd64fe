"""Which base an application and its machines have, and which subordinates may join it."""

from __future__ import annotations

import pytest

from testbed.juju.manner import Manner
from testbed.juju.state import bases
from unit.juju.charms import PRINCIPAL, SUBORDINATE, pack
from unit.juju.conftest import Juju, in_manner

REFUSED = (
    'cannot add relation "rider:things host:things": '
    "principal and subordinate applications' bases must match"
)


def of(juju: Juju, kind: str, name: str) -> str:
    """Return the base of an application or a machine, as `juju status` shows it."""
    base = juju.status()[kind][name]["base"]
    return f"{base['name']}@{base['channel']}"


@pytest.mark.parametrize(
    ("supported", "wanted", "chosen"),
    [
        (("22.04", "24.04", "26.04"), "ubuntu@22.04", "22.04"),
        (("22.04", "24.04"), "ubuntu@22.04/stable", "22.04"),
        (("22.04", "24.04", "26.04"), "", "24.04"),
        (("20.04", "22.04"), "", "20.04"),
        (("26.04", "22.04"), "", "26.04"),
        ((), "", "24.04"),
        ((), "ubuntu@20.04", "20.04"),
    ],
)
def test_a_base_is_the_wanted_one_or_the_latest_lts_or_the_charms_first(
    supported: tuple[str, ...], wanted: str, chosen: str
) -> None:
    listed = tuple(f"ubuntu@{base}" for base in supported)

    assert bases.choose("it", listed, wanted) == f"ubuntu@{chosen}"


def test_machines_have_the_base_of_the_application_that_they_are_for(juju: Juju) -> None:
    pack(juju.folder, PRINCIPAL, bases=("20.04", "22.04"))

    juju("deploy", "./host.charm", "--base", "ubuntu@22.04")
    juju("deploy", "./host.charm", "other")
    juju.settle()

    assert of(juju, "applications", "host") == of(juju, "machines", "0") == "ubuntu@22.04"
    assert of(juju, "applications", "other") == of(juju, "machines", "1") == "ubuntu@20.04"
    assert juju.lab.machines[0].base == "ubuntu@22.04"


@pytest.mark.parametrize(
    ("default", "own", "base"),
    [
        ("22.04/stable", "", "22.04"),
        ("20.04", "", "24.04"),
        ("24.04", ", base: ubuntu@22.04", "22.04"),
    ],
    ids=["its default", "none that the charm supports", "the application's own"],
)
def test_a_bundle_says_the_base_of_its_applications(
    juju: Juju, default: str, own: str, base: str
) -> None:
    pack(juju.lab.charm_store, PRINCIPAL, bases=("22.04", "24.04"))
    text = f"default-base: ubuntu@{default}\napplications: {{host: {{charm: host{own}}}}}\n"
    (juju.folder / "bundle.yaml").write_text(text)

    juju("deploy", "./bundle.yaml")

    assert of(juju, "applications", "host") == f"ubuntu@{base}"


def test_on_3_6_a_subordinate_on_another_base_joins_if_the_charms_share_one(juju: Juju) -> None:
    pack(juju.folder, PRINCIPAL, bases=("20.04", "22.04"))
    pack(juju.folder, SUBORDINATE, bases=("22.04", "24.04"))
    juju("deploy", "./host.charm", "--base", "ubuntu@20.04")
    juju("deploy", "./rider.charm")

    juju("integrate", "rider:things", "host")
    juju.settle()

    assert of(juju, "applications", "rider") == "ubuntu@24.04"
    assert of(juju, "machines", "0") == "ubuntu@20.04"
    assert "rider/0" in juju.status()["applications"]["host"]["units"]["host/0"]["subordinates"]


def test_on_3_6_a_subordinate_is_refused_if_the_charms_share_no_base(juju: Juju) -> None:
    pack(juju.folder, PRINCIPAL, bases=("20.04", "22.04"))
    pack(juju.folder, SUBORDINATE, bases=("24.04",))
    juju("deploy", "./host.charm")
    juju("deploy", "./rider.charm")

    assert REFUSED in juju.refused("integrate", "rider:things", "host")


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

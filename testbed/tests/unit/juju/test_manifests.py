"""What Juju reads in a charm's manifest, and what 4.1 refuses without it."""

from __future__ import annotations

import pytest

from testbed.juju.manner import Manner
from unit.juju.charms import PRINCIPAL, pack
from unit.juju.conftest import Juju, in_manner

TWO = ("amd64", "arm64")


@in_manner(Manner.JUJU_3_6)
@pytest.mark.parametrize("bases", [(), ("24.04",)])
def test_3_6_deploys_a_charm_without_a_manifest_or_with_several_architectures(
    juju: Juju, bases: tuple[str, ...]
) -> None:
    pack(juju.folder, PRINCIPAL, bases=bases, architectures=TWO)

    juju("deploy", "./host.charm")


@in_manner(Manner.JUJU_4_1)
def test_4_1_refuses_a_charm_without_a_manifest(juju: Juju) -> None:
    pack(juju.folder, PRINCIPAL, bases=())

    assert juju.refused("deploy", "./host.charm") == "ERROR charm without manifest not valid\n"


@in_manner(Manner.JUJU_4_1)
def test_4_1_refuses_a_charm_whose_manifest_lists_no_base(juju: Juju) -> None:
    pack(juju.folder, PRINCIPAL, bases=(), files={"manifest.yaml": "bases: []"})

    assert "does not define any bases, not valid" in juju.refused("deploy", "./host.charm")


@in_manner(Manner.JUJU_4_1)
def test_4_1_refuses_a_file_for_several_architectures(juju: Juju) -> None:
    pack(juju.folder, PRINCIPAL, architectures=TWO)

    refusal = juju.refused("deploy", "./host.charm")

    assert refusal.endswith("ERROR cannot insert application with an empty architecture\n")


@in_manner(Manner.JUJU_4_1)
def test_4_1_knows_the_architecture_of_a_charm_of_the_store(juju: Juju) -> None:
    pack(juju.lab.charm_store, PRINCIPAL, architectures=TWO)

    juju("deploy", "host")

"""`juju deploy` of bundles with overlays, the testbed's own bundle among them."""

from __future__ import annotations

from pathlib import Path

import pytest

from unit.juju.charms import AUTHORITY, PRINCIPAL, SUBORDINATE, pack
from unit.juju.conftest import Juju

CHARMS = Path(__file__).parents[3] / "charms"
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
OPTIONS = {"colour": {"type": "string"}, "size": {"type": "int"}}


@pytest.fixture
def store(juju: Juju) -> Path:
    folder = juju.lab.charm_store
    pack(folder, PRINCIPAL, config=OPTIONS)
    pack(folder, SUBORDINATE)
    pack(folder, AUTHORITY)
    return folder


@pytest.mark.usefixtures("store")
def test_an_overlay_adds_applications_options_and_relations(juju: Juju) -> None:
    (juju.folder / "bundle.yaml").write_text(BUNDLE)
    (juju.folder / "riding.yaml").write_text(RIDING)
    (juju.folder / "colour").write_text("red")

    juju("deploy", "./bundle.yaml", "--overlay", str(juju.folder / "riding.yaml"))
    juju.settle()

    applications = juju.status()["applications"]
    assert sorted(applications) == ["authority", "host", "rider"]
    assert juju("config", "host", "colour") == "red\n"
    assert juju("config", "host", "size") == "1\n"
    units = applications["host"]["units"]
    riders = [rider for unit in units.values() for rider in unit["subordinates"]]
    assert sorted(riders) == ["rider/0", "rider/1"]
    assert sorted(applications["rider"]["relations"]) == ["certificates", "riders", "things"]


@pytest.mark.usefixtures("store")
def test_an_application_that_exists_keeps_its_units_and_gets_the_options(juju: Juju) -> None:
    (juju.folder / "bundle.yaml").write_text(BUNDLE)
    juju("deploy", "./bundle.yaml")
    (juju.folder / "again.yaml").write_text(BUNDLE.replace("blue", "green"))

    juju("deploy", "./again.yaml")
    juju.settle()

    assert juju("config", "host", "colour") == "green\n"
    assert len(juju.status()["applications"]["host"]["units"]) == 2
    assert len(juju.status()["applications"]["host"]["relations"]["certificates"]) == 1


@pytest.mark.usefixtures("store")
@pytest.mark.parametrize(
    ("bundle", "refusal"),
    [
        ("saas: {}", "outside this testbed's subset of juju"),
        ("applications: {x: {charm: host, storage: 1}}", "subset of juju"),
        ("- 1", "is not a valid bundle: expected a map of applications"),
        ("applications: {x: {charm: host}}\nrelations: [[x]]", "needs two endpoints"),
        ("applications: {x: {charm: host, options: {colour: include-file://no}}}", "processing"),
        ("applications: {x: {}}", 'empty charm path for "x"'),
        ("applications: {X: {charm: host}}", 'invalid application name "X"'),
        ("applications: {x: {charm: nothing}}", 'charm or bundle "nothing" not found'),
        ("applications: {x: {charm: host, options: {shape: 1}}}", 'unknown option "shape"'),
        (
            "applications: {x: {charm: host}}\nrelations: [[x, y]]",
            'refers to application "y" not defined in this bundle',
        ),
        ("applications: {x: {charm: rider, num_units: 1}}", "is a subordinate and has num_units"),
    ],
)
def test_a_bundle_with_a_mistake_is_refused_in_one_line(
    juju: Juju, bundle: str, refusal: str
) -> None:
    (juju.folder / "bundle.yaml").write_text(bundle)

    done = juju.try_("deploy", "./bundle.yaml")

    assert done.returncode != 0
    assert refusal in done.stderr.splitlines()[-1]
    assert not juju.status()["applications"]


def test_given_a_charm_with_an_overlay_of_its_name_when_deployed_then_it_is_the_charm(
    juju: Juju,
) -> None:
    assert (CHARMS.parent / "bundles/vault.yaml").exists()
    pack(juju.lab.charm_store, PRINCIPAL, name="vault")

    juju("deploy", "vault", "elsewhere")

    assert list(juju.status()["applications"]) == ["elsewhere"]

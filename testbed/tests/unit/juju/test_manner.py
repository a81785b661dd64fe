"""TESTBED_JUJU says which Juju the stand-in behaves as."""

from __future__ import annotations

import pytest

from testbed.juju.manner import Manner
from unit.juju.charms import PRINCIPAL, pack
from unit.juju.conftest import Juju, in_manner

TELLS_VERSION = 'status-set active "$JUJU_VERSION"'


@in_manner(*Manner)
def test_hooks_commands_and_status_name_the_same_version(juju: Juju) -> None:
    charm = pack(juju.folder, PRINCIPAL, behaviour=TELLS_VERSION)
    juju("deploy", str(charm))
    juju.settle()
    document = juju.status()
    unit = document["applications"]["host"]["units"]["host/0"]
    expected = juju.controller.manner.version

    assert juju("version") == f"{expected}-ubuntu-amd64\n"
    assert document["model"]["version"] == unit["juju-status"]["version"] == expected
    assert document["machines"]["0"]["juju-status"]["version"] == expected
    assert unit["workload-status"]["message"] == expected


OPTIONS = {"colour": {"type": "string", "default": "red"}, "size": {"type": "int"}}


@in_manner(Manner.JUJU_4_1)
@pytest.mark.parametrize(
    ("words", "told"),
    [(("--reset", "colour"), []), (("colour=",), ["config-changed"] * 2)],
    ids=["reset", "empty"],
)
def test_on_4_1_units_hear_of_a_reset_with_the_next_change_only(
    juju: Juju, words: tuple[str, ...], told: list[str]
) -> None:
    pack(juju.folder, PRINCIPAL, config=OPTIONS)
    juju("deploy", "./host.charm", "--config", "colour=green")
    juju.settle()
    before = len(juju.hooks("host/0"))

    juju("config", "host", *words)
    juju.settle()

    assert juju.hooks("host/0")[before:] == told
    juju("config", "host", "size=4")
    juju.settle()
    assert juju.hooks("host/0")[before:] == [*told, "config-changed", "config-changed"]


@in_manner(Manner.JUJU_4_1)
def test_on_4_1_a_new_model_lets_nobody_in(juju: Juju) -> None:
    pack(juju.folder, PRINCIPAL)
    juju("deploy", "./host.charm")
    juju.settle()

    refusal = juju.refused("ssh", "host/0", "true", code=255)

    assert refusal == "ubuntu@10.85.0.10: Permission denied (publickey).\n"

"""Commands that one Juju has and the other has not, or that want more on one of them."""

from __future__ import annotations

import pytest

from testbed.juju.manner import Manner
from unit.juju.charms import PRINCIPAL, SUBORDINATE, pack
from unit.juju.conftest import Juju, in_manner

OPTIONS = {"colour": {"type": "string", "default": "red"}, "size": {"type": "int"}}


@pytest.fixture
def host(juju: Juju) -> Juju:
    pack(juju.folder, PRINCIPAL, bases=("22.04", "24.04"))
    pack(juju.folder, SUBORDINATE, bases=("22.04", "24.04"))
    juju("deploy", "./host.charm")
    juju("deploy", "./rider.charm")
    juju("integrate", "rider:things", "host:things")
    juju.settle()
    return juju


@in_manner(Manner.JUJU_3_6)
def test_on_3_6_an_application_and_its_subordinates_get_another_base(host: Juju) -> None:
    host("set-application-base", "host", "ubuntu@22.04")
    refusal = host.refused("set-application-base", "host", "ubuntu@20.04")
    host("add-unit", "host")
    host.settle()

    applications, machines = host.status()["applications"], host.status()["machines"]
    assert applications["host"]["base"]["channel"] == "22.04"
    assert applications["rider"]["base"]["channel"] == "22.04"
    assert [machines[number]["base"]["channel"] for number in "01"] == ["24.04", "22.04"]
    assert "supported bases are: ubuntu@22.04, ubuntu@24.04" in refusal


@in_manner(Manner.JUJU_4_1)
def test_4_1_has_no_command_for_another_base(juju: Juju) -> None:
    refusal = juju.refused("set-application-base", "host", "ubuntu@22.04", code=2)

    assert '"set-application-base" is not a juju command' in refusal


@in_manner(Manner.JUJU_3_6)
def test_on_3_6_a_new_model_lets_its_operator_in(host: Juju) -> None:
    assert host("ssh", "host/0", "echo in") == "in\n"


@in_manner(Manner.JUJU_4_1)
@pytest.mark.parametrize("command", [("ssh", "host/0", "true"), ("scp", "host/0:file", ".")])
def test_on_4_1_a_new_model_lets_nobody_in(host: Juju, command: tuple[str, ...]) -> None:
    refusal = host.refused(*command, code=255)

    assert refusal == "ubuntu@10.85.0.10: Permission denied (publickey).\n"


@in_manner(Manner.JUJU_3_6)
def test_on_3_6_a_status_of_one_application_has_all_relations(host: Juju) -> None:
    host("deploy", "./host.charm", "other")

    assert "host:things" in host("status", "other", "--relations")


@in_manner(Manner.JUJU_4_1)
def test_on_4_1_a_status_of_one_application_has_no_relation_of_others(host: Juju) -> None:
    host("deploy", "./host.charm", "other")

    assert "host:things" not in host("status", "other", "--relations")
    assert "host:things" in host("status", "rider", "--relations")


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

"""TESTBED_JUJU says which Juju the stand-in behaves as."""

from __future__ import annotations

import pytest

from testbed.juju import manner
from testbed.juju.manner import Manner
from unit.juju.charms import PRINCIPAL, pack
from unit.juju.conftest import Juju, in_manner

TELLS_VERSION = 'status-set active "$JUJU_VERSION"'


@pytest.mark.parametrize(
    ("value", "chosen"),
    [("", Manner.JUJU_3_6), ("3.6", Manner.JUJU_3_6), ("4.1", Manner.JUJU_4_1)],
)
def test_it_is_3_6_unless_another_is_asked_for(
    value: str, chosen: Manner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(manner.VARIABLE, value)

    assert manner.chosen() is chosen


def test_any_other_value_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(manner.VARIABLE, "4.1-beta2")

    with pytest.raises(ValueError, match=r"TESTBED_JUJU=4.1-beta2: use 3.6 or 4.1"):
        manner.chosen()


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
@pytest.mark.parametrize("command", [("ssh", "host/0", "true"), ("scp", "host/0:file", ".")])
def test_on_4_1_a_new_model_lets_nobody_in(juju: Juju, command: tuple[str, ...]) -> None:
    pack(juju.folder, PRINCIPAL)
    juju("deploy", "./host.charm")
    juju.settle()

    refusal = juju.refused(*command, code=255)

    assert refusal == "ubuntu@10.85.0.10: Permission denied (publickey).\n"


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
    if bases:
        pack(juju.lab.charm_store, PRINCIPAL, architectures=architectures)
        juju("deploy", "host", "other")

    done = juju.try_("deploy", "./host.charm")

    newer = juju.controller.manner is Manner.JUJU_4_1
    assert (done.returncode, refusal in done.stderr) == ((1, True) if newer else (0, False))

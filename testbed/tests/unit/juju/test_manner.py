"""TESTBED_JUJU says which Juju the stand-in behaves as."""

from __future__ import annotations

import pytest

from testbed.juju import manner
from testbed.juju.manner import Manner
from unit.juju.charms import PRINCIPAL, pack
from unit.juju.conftest import Juju, in_manner

TELLS_VERSION = 'status-set active "$JUJU_VERSION"'


@pytest.mark.parametrize("value", ["", "3.6", None])
def test_it_is_3_6_unless_another_is_asked_for(
    value: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(manner.VARIABLE, raising=False)
    if value is not None:
        monkeypatch.setenv(manner.VARIABLE, value)

    assert manner.chosen() is Manner.JUJU_3_6


def test_it_may_be_4_1(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(manner.VARIABLE, "4.1")

    assert manner.chosen() is Manner.JUJU_4_1


@pytest.mark.parametrize("value", ["4", "3.6.28", "4.1-beta2"])
def test_any_other_value_is_refused_in_one_line(
    value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(manner.VARIABLE, value)

    with pytest.raises(ValueError, match=f"TESTBED_JUJU={value}: use 3.6 or 4.1") as refused:
        manner.chosen()

    assert "\n" not in str(refused.value)


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


@in_manner(*Manner)
def test_new_options_run_config_changed_once_or_in_4_1_twice(juju: Juju) -> None:
    pack(juju.folder, PRINCIPAL, config={"colour": {"type": "string"}})
    juju("deploy", "./host.charm")
    juju.settle()
    before = len(juju.hooks("host/0"))

    juju("config", "host", "colour=red")
    juju.settle()

    times = 2 if juju.controller.manner is Manner.JUJU_4_1 else 1
    assert juju.hooks("host/0")[before:] == ["config-changed"] * times

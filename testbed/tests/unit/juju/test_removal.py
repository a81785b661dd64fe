"""The removal of relations, units, applications and models, and goal-state meanwhile."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from unit.juju.charms import AUTHORITY, PRINCIPAL, SUBORDINATE, pack
from unit.juju.conftest import Juju

# Logs goal-state while the unit is removed. With the option `stuck`, the hook `stop` fails.
WATCHING = """
case "$JUJU_HOOK_NAME" in
remove) juju-log "goals: $(goal-state --format=json)" ;;
stop) [ "$(config-get stuck)" = True ] && exit 1 ;;
esac
true
"""
STUCK = {"stuck": {"type": "boolean", "default": False}}


@pytest.fixture
def riders(juju: Juju) -> None:
    """Deploy two hosts with a rider each, and an authority."""
    pack(juju.folder, PRINCIPAL, behaviour=WATCHING, config=STUCK)
    pack(juju.folder, SUBORDINATE, behaviour=WATCHING, config=STUCK)
    pack(juju.folder, AUTHORITY)
    juju("deploy", "./host.charm", "-n", "2")
    juju("deploy", "./rider.charm")
    juju("deploy", "./authority.charm", "--to", "0")
    juju("integrate", "rider", "host")
    juju("integrate", "rider", "authority")
    juju.settle()


def goals(juju: Juju, unit: str) -> dict[str, Any]:
    log = juju("debug-log", "--include", unit)
    return json.loads(log.partition("goals: ")[2].splitlines()[0])


def agents_on(agents: Path) -> set[str]:
    return {folder.name for folder in agents.iterdir()}


def eventually(holds: Callable[[], bool]) -> None:
    """Wait for what an agent does after its unit has left the model."""
    until = time.monotonic() + 10
    while not holds():
        assert time.monotonic() < until
        time.sleep(0.01)


@pytest.mark.usefixtures("riders")
def test_a_subordinate_stays_until_its_last_relation_with_its_principal_is_gone(
    juju: Juju,
) -> None:
    units = juju.status()["applications"]["host"]["units"]
    riders = {rider for unit in units.values() for rider in unit["subordinates"]}
    juju("integrate", "rider:general", "host:juju-info")
    juju.settle()
    before = {rider: len(juju.hooks(rider)) for rider in riders}

    juju("remove-relation", "rider:things", "host:things")
    juju.settle()

    for rider in riders:
        ran = juju.hooks(rider)[before[rider] :]
        assert ran == ["things-relation-departed", "things-relation-broken"]
    units = juju.status()["applications"]["host"]["units"]
    assert {rider for unit in units.values() for rider in unit["subordinates"]} == riders

    juju("remove-relation", "rider:general", "host:juju-info")
    juju.settle()

    for rider in riders:
        assert juju.hooks(rider)[-2:] == ["stop", "remove"]
    units = juju.status()["applications"]["host"]["units"]
    assert not any("subordinates" in unit for unit in units.values())


@pytest.mark.usefixtures("riders")
def test_a_subordinates_goal_state_shows_which_principal_is_dying(juju: Juju) -> None:
    units = juju.status()["applications"]["host"]["units"]
    gone, stays = (next(iter(units[host]["subordinates"])) for host in ("host/1", "host/0"))

    juju("remove-unit", "--no-prompt", "host/1")
    juju.settle()
    juju("remove-application", "--no-prompt", "rider")
    juju.settle()

    scaled_down, removed = goals(juju, gone), goals(juju, stays)
    assert (scaled_down["units"], removed["units"]) == ({}, {})
    assert scaled_down["relations"]["things"]["host/1"]["status"] == "dying"
    assert removed["relations"].get("things", {}).get("host/0", {}).get("status") != "dying"


@pytest.mark.usefixtures("riders")
def test_only_force_removes_a_unit_that_cannot_stop(juju: Juju) -> None:
    juju("model-config", "automatically-retry-hooks=false")
    juju("config", "host", "stuck=true")
    juju("remove-unit", "--no-prompt", "host/1")
    juju.settle()
    assert sorted(juju.status()["applications"]["host"]["units"]) == ["host/0", "host/1"]

    juju("remove-unit", "--no-prompt", "--force", "host/1")
    juju.settle()

    assert sorted(juju.status()["applications"]["host"]["units"]) == ["host/0"]
    assert [juju.lab.machines[number].closed for number in (0, 1)] == [False, True]


@pytest.mark.usefixtures("riders")
@pytest.mark.parametrize("force", [(), ("--force",)])
def test_a_removed_units_folder_goes_from_a_machine_that_stays(
    juju: Juju, force: tuple[str, ...]
) -> None:
    agents = juju.lab.machines[0].root / "var/lib/juju/agents"
    before = agents_on(agents)
    (rider,) = juju.status()["applications"]["host"]["units"]["host/0"]["subordinates"]

    juju("remove-application", "--no-prompt", *force, "rider")
    juju.settle()

    gone = f"unit-{rider.replace('/', '-')}"
    assert before == {"unit-host-0", "unit-authority-0", gone}
    eventually(lambda: agents_on(agents) == before - {gone})
    assert (agents / "unit-host-0/charm/dispatch").exists()


@pytest.mark.parametrize("command", [("remove-application", "host"), ("remove-unit", "host/0")])
def test_nothing_is_removed_without_a_yes(juju: Juju, command: tuple[str, ...]) -> None:
    pack(juju.folder, PRINCIPAL)
    juju("deploy", "./host.charm")

    asked = juju.refused(*command, stdin="n\n")
    nobody = juju.refused(*command)
    kept = list(juju.status()["applications"]["host"]["units"])
    juju(*command, stdin="y\n")
    juju.settle()

    assert "Continue [y/N]?" in asked
    assert "aborted" in nobody
    assert kept == ["host/0"]
    assert not juju.status()["applications"].get("host", {}).get("units")


def test_a_model_is_destroyed_with_its_machines(juju: Juju) -> None:
    pack(juju.folder, PRINCIPAL, behaviour=WATCHING, config=STUCK)
    juju("add-model", "--no-switch", "other")
    juju("deploy", "./host.charm", JUJU_MODEL="other")
    juju.control("settle", "--model", "other")

    juju("destroy-model", "--no-prompt", "--force", "other")

    assert all(machine.closed for machine in juju.lab.machines.values())
    assert "not found" in juju.refused("status", "-m", "other")

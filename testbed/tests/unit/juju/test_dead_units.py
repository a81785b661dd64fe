"""How units end in Juju 4.1: dead as soon as they are in no relation's scope."""

from __future__ import annotations

import json
from typing import Any

import pytest

from testbed.juju.manner import Manner
from unit.juju.charms import AUTHORITY, PRINCIPAL, SUBORDINATE, pack
from unit.juju.conftest import Juju, in_manner

# Logs goal-state in a unit's last hooks. With the option `writes`, departed hooks write data.
WATCHING = """
case "$JUJU_HOOK_NAME" in
things-relation-departed)
    [ "$JUJU_DEPARTING_UNIT" = "$JUJU_UNIT_NAME" ] || exit 0
    juju-log "departed: $(goal-state --format=json)"
    [ "$(config-get writes)" = True ] || exit 0
    relation-set key=value || exit 1 ;;
remove) juju-log "remove: $(goal-state --format=json)" ;;
config-changed) status-set "$(config-get state)" ;;
stop)
    relation=$(relation-ids things)
    juju-log $relation of $(relation-list --app -r $relation): $(relation-list -r $relation)
    said=$(relation-get -r $relation - $JUJU_UNIT_NAME 2>&1) || juju-log "exit $?: $said"
    [ "$(config-get stuck)" = False ] ;;
esac
"""
OPTIONS = {
    "writes": {"type": "boolean", "default": False},
    "state": {"type": "string", "default": "active"},
    "stuck": {"type": "boolean", "default": False},
}
WITHOUT_PEERS = PRINCIPAL.partition("peers:")[0]

pytestmark = in_manner(Manner.JUJU_4_1)


def deploy(juju: Juju, principal: str = PRINCIPAL) -> None:
    """Deploy two hosts with a rider each, and an authority."""
    pack(juju.folder, principal)
    pack(juju.folder, SUBORDINATE, behaviour=WATCHING, config=OPTIONS)
    pack(juju.folder, AUTHORITY)
    juju("deploy", "./host.charm", "-n", "2")
    juju("deploy", "./rider.charm")
    juju("deploy", "./authority.charm", "--to", "0")
    juju("integrate", "rider:things", "host:things")
    juju("integrate", "rider:certificates", "authority:client")
    juju.settle()


def rider_of(juju: Juju, host: str) -> str:
    (rider,) = juju.status()["applications"]["host"]["units"][host]["subordinates"]
    return rider


def things(juju: Juju, unit: str, hook: str) -> list[str]:
    """Return whom goal-state showed on the endpoint `things`, each with its status."""
    log = juju("debug-log", "--include", unit).splitlines()
    goals: list[dict[str, Any]] = [
        json.loads(line.partition(f"{hook}: ")[2]) for line in log if f" {hook}: " in line
    ]
    shown = goals[-1]["relations"].get("things", {})
    return [f"{name} {shown[name]['status']}" for name in sorted(shown) if "/" in name]


def test_given_an_application_when_it_is_removed_then_neither_stop_nor_remove_runs(
    juju: Juju,
) -> None:
    deploy(juju)
    rider = rider_of(juju, "host/1")
    before = len(juju.hooks(rider))

    juju("remove-application", "--no-prompt", "rider")
    juju.settle()

    assert juju.hooks(rider)[before:] == [
        "certificates-relation-departed",
        "certificates-relation-broken",
        "things-relation-departed",
        "things-relation-departed",
        "things-relation-broken",
        "riders-relation-departed",
    ]
    assert sorted(juju.status()["applications"]) == ["authority", "host"]


@pytest.mark.parametrize("stuck", [False, True])
def test_given_an_application_that_is_blocked_when_it_is_removed_then_its_last_unit_tries_to_stop(
    juju: Juju, stuck: bool
) -> None:
    deploy(juju)
    juju("config", "rider", "state=blocked", f"stuck={str(stuck).lower()}")
    juju.settle()
    first, last = sorted(rider_of(juju, host) for host in ("host/0", "host/1"))
    before = {rider: len(juju.hooks(rider)) for rider in (first, last)}

    juju("remove-application", "--no-prompt", "rider")
    juju.settle()

    assert "things-relation-broken" in juju.hooks(first)[before[first] :]
    assert juju.hooks(last)[before[last] :] == ([] if stuck else ["stop"])
    assert "things-relation-broken" in juju.hooks("host/1")
    assert sorted(juju.status()["applications"]) == ["authority", "host"]


def test_given_a_unit_that_was_let_out_when_it_stops_then_it_lists_what_it_cannot_read(
    juju: Juju,
) -> None:
    deploy(juju)
    juju("config", "rider", "state=blocked")
    juju.settle()
    last = max(rider_of(juju, host) for host in ("host/0", "host/1"))

    juju("remove-application", "--no-prompt", "rider")
    juju.settle()

    log = juju("debug-log", "--include", last)
    assert "of host: host/0 host/1" in log
    assert "exit 1: ERROR permission denied" in log


def test_given_a_relation_when_it_is_removed_then_the_peer_relation_keeps_the_unit_to_its_end(
    juju: Juju,
) -> None:
    deploy(juju)
    rider = rider_of(juju, "host/1")

    juju("remove-relation", "rider:things", "host:things")
    juju.settle()

    ran = juju.hooks(rider)
    assert ran[ran.index("things-relation-broken") + 1 :][-2:] == ["stop", "remove"]


@pytest.mark.parametrize("principal", [PRINCIPAL, WITHOUT_PEERS])
def test_given_a_principal_when_it_is_removed_then_its_subordinate_sees_it_no_more_in_remove(
    juju: Juju, principal: str
) -> None:
    deploy(juju, principal)
    rider = rider_of(juju, "host/1")

    juju("remove-unit", "--no-prompt", "host/1")
    juju.settle()

    # The principal is dying in this hook, or dead already: they do not wait for each other.
    assert things(juju, rider, "departed")[:1] == ["host/0 active"]
    assert things(juju, rider, "departed")[1:] in ([], ["host/1 dying"])
    assert things(juju, rider, "remove") == ["host/0 active"]
    assert list(juju.status()["applications"]["host"]["units"]) == ["host/0"]
    assert juju.lab.machines[1].closed


def test_given_a_principal_when_it_is_removed_by_force_then_its_subordinate_runs_its_last_hooks(
    juju: Juju,
) -> None:
    deploy(juju)
    rider = rider_of(juju, "host/1")
    ran = juju.hooks("host/1")

    juju("remove-unit", "--no-prompt", "--force", "host/1")
    juju.settle()

    assert juju.hooks("host/1") == ran
    assert things(juju, rider, "departed") == things(juju, rider, "remove") == ["host/0 active"]
    assert juju.lab.machines[1].closed


def test_given_a_unit_that_leaves_when_it_writes_in_departed_then_juju_finds_no_relation(
    juju: Juju,
) -> None:
    deploy(juju)
    rider = rider_of(juju, "host/1")
    juju("config", "rider", "writes=true")
    juju.settle()

    juju("remove-application", "--no-prompt", "rider")
    juju.settle()

    log = juju("debug-log", "--include", rider)
    assert "cannot read relation settings: relation not found" in log
    # The hook fails, and once the others have left, the agent is recalled without another hook.
    assert "things-relation-broken" not in juju.hooks(rider)
    assert "rider" not in juju.status()["applications"]

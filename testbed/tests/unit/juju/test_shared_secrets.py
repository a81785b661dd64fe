"""Secrets that the units of an application share, through the hook tools."""

from __future__ import annotations

import json

import pytest

from unit.juju.charms import STARTS, pack
from unit.juju.conftest import Juju

OWNER = "name: owner\npeers: {us: {interface: us}}\n"
TELLING = (
    STARTS
    + """
case "$JUJU_HOOK_NAME" in secret-*)
  echo "$JUJU_HOOK_NAME $JUJU_SECRET_LABEL ${JUJU_SECRET_REVISION-none}" >> told ;;
esac
"""
)


@pytest.fixture
def pair(juju: Juju) -> None:
    pack(juju.folder, OWNER, behaviour=TELLING)
    juju("deploy", "./owner.charm", "-n", "2")
    juju.settle()


def inside(juju: Juju, unit: str, command: str) -> str:
    return juju("exec", "--unit", unit, "--", command).strip()


def refused(juju: Juju, unit: str, command: str) -> str:
    done = juju.try_("exec", "--unit", unit, "--", command)
    return done.stdout + done.stderr


def told(juju: Juju, unit: str) -> list[str]:
    folder = f"/var/lib/juju/agents/unit-{unit.replace('/', '-')}/charm"
    machine = juju.status()["applications"][unit.partition("/")[0]]["units"][unit]["machine"]
    path = juju.lab.machines[int(machine)].root / folder[1:] / "told"
    return path.read_text().splitlines() if path.exists() else []


@pytest.mark.usefixtures("pair")
def test_an_applications_secret_is_managed_by_its_current_leader(juju: Juju) -> None:
    uri = inside(juju, "owner/0", "secret-add --label mine user=a")
    assert inside(juju, "owner/1", "secret-get --label mine") == "user: a"
    assert "not found" in refused(juju, "owner/1", f"secret-info-get {uri}")
    assert "not the leader" in refused(juju, "owner/1", "secret-add user=a")

    juju.control("move-leader", "owner/1")
    juju.settle()
    info = inside(juju, "owner/1", "secret-info-get --label mine --format=json")

    (described,) = json.loads(info).values()
    assert (described["revision"], described["owner"]) == (1, "application")
    not_leader = '"owner/0" is not leader of "owner"'
    assert not_leader in refused(juju, "owner/0", f"secret-set {uri} user=b")


@pytest.mark.usefixtures("pair")
def test_expiry_leads_to_hooks_of_the_leader_alone(juju: Juju) -> None:
    inside(juju, "owner/0", "secret-add --label short --expire 100ms user=a")

    while not told(juju, "owner/0"):
        juju.settle()

    assert told(juju, "owner/0") == ["secret-expired short 1"]
    assert told(juju, "owner/1") == []

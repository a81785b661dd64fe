"""Secrets between applications, through the hook tools."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from testbed.juju.state.status import now
from unit.juju.charms import STARTS, pack
from unit.juju.conftest import Juju

OWNER = "name: owner\nprovides: {give: {interface: s}}\npeers: {us: {interface: us}}\n"
READER = "name: reader\nrequires: {take: {interface: s}}\n"
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
    pack(juju.folder, READER, behaviour=TELLING)
    juju("deploy", "./owner.charm", "-n", "2")
    juju("deploy", "./reader.charm")
    juju("integrate", "owner", "reader")
    juju.settle()


def inside(juju: Juju, unit: str, command: str) -> str:
    return juju("exec", "--unit", unit, "--", command).strip()


def refused(juju: Juju, unit: str, command: str) -> str:
    done = juju.try_("exec", "--unit", unit, "--", command)
    assert done.returncode != 0
    return done.stdout + done.stderr


def told(juju: Juju, unit: str) -> list[str]:
    folder = f"/var/lib/juju/agents/unit-{unit.replace('/', '-')}/charm"
    machine = juju.status()["applications"][unit.partition("/")[0]]["units"][unit]["machine"]
    path = juju.lab.machines[int(machine)].root / folder[1:] / "told"
    return path.read_text().splitlines() if path.exists() else []


@pytest.mark.usefixtures("pair")
def test_a_granted_secret_is_read_and_its_new_revision_on_refresh(juju: Juju) -> None:
    uri = inside(juju, "owner/0", "secret-add --label mine user=a pass=b")
    assert "permission denied" in refused(juju, "reader/0", f"secret-get {uri}")
    relation = inside(juju, "owner/0", "relation-ids give")
    inside(juju, "owner/0", f"secret-grant --relation {relation} {uri}")

    first = inside(juju, "reader/0", f"secret-get {uri} --label theirs --format=json")
    inside(juju, "owner/0", f"secret-set {uri} user=a pass=c")
    juju.settle()
    kept = inside(juju, "reader/0", "secret-get pass --label theirs")
    peeked = inside(juju, "reader/0", f"secret-get {uri} --peek pass")
    refreshed = inside(juju, "reader/0", f"secret-get {uri} --refresh pass")
    juju.settle()

    assert json.loads(first) == {"user": "a", "pass": "b"}
    assert (kept, peeked, refreshed) == ("b", "c", "c")
    assert told(juju, "reader/0") == ["secret-changed theirs none"]
    assert told(juju, "owner/0") == ["secret-remove mine 1"]
    assert "permission denied" in refused(juju, "reader/0", f"secret-set {uri} user=x")


@pytest.mark.usefixtures("pair")
@pytest.mark.parametrize("how", ["secret-revoke --app reader", "remove-relation"])
def test_a_grant_ends(juju: Juju, how: str) -> None:
    uri = inside(juju, "owner/0", "secret-add user=a")
    relation = inside(juju, "owner/0", "relation-ids give")
    inside(juju, "owner/0", f"secret-grant --relation {relation} {uri}")
    assert inside(juju, "reader/0", f"secret-get {uri} user") == "a"

    if how == "remove-relation":
        juju("remove-relation", "owner", "reader")
        juju.settle()
    else:
        inside(juju, "owner/0", f"{how} {uri}")

    assert "permission denied" in refused(juju, "reader/0", f"secret-get {uri}")


@pytest.mark.usefixtures("pair")
def test_an_applications_secret_is_managed_by_its_current_leader(juju: Juju) -> None:
    uri = inside(juju, "owner/0", "secret-add --label mine --rotate daily user=a")
    assert inside(juju, "owner/1", "secret-get user --label mine") == "a"
    assert "not found" in refused(juju, "owner/1", f"secret-info-get {uri}")
    assert "not the leader" in refused(juju, "owner/1", "secret-add user=a")

    juju.control("move-leader", "owner/1")
    juju.settle()
    info = inside(juju, "owner/1", "secret-info-get --label mine --format=json")

    (described,) = json.loads(info).values()
    assert described["rotation"] == "daily"
    assert (described["revision"], described["owner"]) == (1, "application")
    assert "not found" in refused(juju, "owner/0", f"secret-set {uri} user=b")


@pytest.mark.usefixtures("pair")
def test_rotation_and_expiry_lead_to_hooks_of_the_leader_alone(juju: Juju) -> None:
    uri = inside(juju, "owner/0", "secret-add --label rotating --rotate hourly user=a")
    inside(juju, "owner/0", "secret-add --label short --expire 100ms user=a")
    with juju.controller.lock:
        model = juju.controller.model("default")
        rotating = model.secrets[uri.rpartition("/")[2]]
        due = replace(rotating, next_rotate=now() + timedelta(milliseconds=100))
        model.secrets[rotating.id] = due
        juju.controller.changed(model)

    while len(told(juju, "owner/0")) < 2:
        juju.settle()

    assert sorted(told(juju, "owner/0")) == [
        "secret-expired short 1",
        "secret-rotate rotating none",
    ]
    assert told(juju, "owner/1") == []
    rotates = json.loads(inside(juju, "owner/0", f"secret-info-get {uri} --format=json"))
    assert "rotates" in rotates[rotating.id]


@pytest.mark.usefixtures("pair")
def test_a_failing_command_changes_neither_secrets_nor_databags(juju: Juju) -> None:
    relation = inside(juju, "owner/0", "relation-ids give")
    writing = f"secret-add --label lost a-key=1 && relation-set -r {relation} lost=1"

    refused(juju, "owner/0", f"{writing} && relation-get -r {relation} lost owner/0 && exit 3")

    assert "not found" in refused(juju, "owner/0", "secret-get --label lost")
    assert "lost" not in juju.shown("owner/0", "give")["local-unit"]["data"]
    inside(juju, "owner/0", writing)
    assert juju.shown("owner/0", "give")["local-unit"]["data"]["lost"] == "1"

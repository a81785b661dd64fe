"""`testbedctl kill-hook`: it kills every hook at a chosen hook-tool call."""

from __future__ import annotations

import json
from typing import Any

import pytest

from unit.juju.charms import PRINCIPAL, pack
from unit.juju.conftest import Juju

# Each hook makes three calls. It writes a mark before a call, and the call changes a databag.
CALLS = """
for n in 1 2 3; do
  echo "$JUJU_HOOK_NAME $n" >> marks
  relation-set -r "$(cat relation 2>/dev/null)" "$JUJU_HOOK_NAME=$n" 2>/dev/null || true
done
"""
HOOKS = ["install", "friends-relation-created", "leader-elected", "config-changed", "start"]


@pytest.fixture
def host(juju: Juju) -> None:
    pack(juju.folder, PRINCIPAL, behaviour=CALLS)


def plan(juju: Juju, *arguments: str) -> None:
    juju.control("kill-hook", "--unit", "host/0", "--at-tool-call", *arguments)


def killed(juju: Juju) -> dict[str, Any]:
    return json.loads(juju.control("killed", "host/0"))


def marks(juju: Juju) -> list[str]:
    agent = juju.lab.machines[0].root / "var/lib/juju/agents/unit-host-0"
    return (agent / "charm/marks").read_text().splitlines()


def deploy(juju: Juju) -> None:
    juju("deploy", "./host.charm")
    juju.settle()


@pytest.mark.usefixtures("host")
def test_hooks_of_one_name_are_killed_and_all_others_are_spared(juju: Juju) -> None:
    plan(juju, "2", "--hook", "config-changed")
    deploy(juju)

    assert [death["hook"] for death in killed(juju)["killed"]] == ["config-changed"]


@pytest.mark.usefixtures("host")
def test_a_retry_is_killed_at_a_number_of_its_own_and_the_next_one_is_spared(juju: Juju) -> None:
    plan(juju, "2,3")
    deploy(juju)

    deaths = [(death["hook"], death["call"]) for death in killed(juju)["killed"]]
    assert deaths == [(hook, call) for hook in HOOKS for call in (2, 3)]
    ran = [f"{hook} {call}" for hook in HOOKS for call in (1, 2, 1, 2, 3, 1, 2, 3)]
    assert marks(juju) == ran


@pytest.mark.usefixtures("host")
def test_a_plan_is_only_for_hooks_that_begin_after_it(juju: Juju) -> None:
    deploy(juju)
    plan(juju, "2")

    juju("exec", "--unit", "host/0", "--", "is-leader; is-leader; is-leader")
    assert killed(juju)["killed"] == []
    juju.control("trigger", "host/0", "update-status")
    juju.settle()

    (death,) = killed(juju)["killed"]
    assert death == {"hook": "update-status", "tool": "relation-set", "call": 2}


@pytest.mark.usefixtures("host")
def test_a_killed_hook_commits_nothing(juju: Juju) -> None:
    deploy(juju)
    relation = juju("exec", "--unit", "host/0", "relation-ids friends").strip()
    juju("exec", "--unit", "host/0", "--", f"echo {relation} > relation")
    juju("model-config", "automatically-retry-hooks=false")
    plan(juju, "3")
    juju.control("trigger", "host/0", "update-status")
    juju.settle()

    assert "update-status" not in juju.shown("host/0", "friends")["local-unit"]["data"]

"""What hook tools answer and refuse, in hooks of three units."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from testbed.juju.errors import ToolError
from testbed.juju.hooktools import SPECS
from testbed.juju.hooktools.call import invoke
from testbed.juju.hooktools.context import Context
from testbed.juju.state.unitstate import Hook
from unit.juju.charms import AUTHORITY, PRINCIPAL, SUBORDINATE, pack
from unit.juju.conftest import Juju, a_controller

OPTIONS = {"colour": {"type": "string", "default": "red"}, "size": {"type": "int"}}


@dataclass
class Run:
    """One run of a unit, in which a test calls hook tools as a charm does."""

    context: Context
    logged: list[tuple[str, str, str]]

    def __call__(self, line: str, file: str = "") -> str:
        tool, *args = shlex.split(line)
        return invoke(SPECS[tool], self.context, args, {"-": file.encode()})

    def json(self, line: str) -> Any:
        return json.loads(self(f"{line} --format=json"))

    def refused(self, line: str) -> str:
        with pytest.raises(ToolError) as raised:
            self(line)
        return str(raised.value)


Runs = Callable[..., Run]


@pytest.fixture(scope="module")
def juju() -> Iterator[Juju]:
    with a_controller() as operator:
        yield operator


@pytest.fixture(scope="module")
def run(juju: Juju) -> Runs:
    """Return a function that begins a run of a unit of host, rider or authority."""
    pack(juju.folder, PRINCIPAL, config=OPTIONS)
    pack(juju.folder, SUBORDINATE)
    pack(juju.folder, AUTHORITY)
    juju("deploy", "./host.charm", "-n", "2")
    juju("deploy", "./rider.charm")
    juju("deploy", "./authority.charm", "--to", "0")
    juju("integrate", "rider", "host")
    juju("integrate", "host", "authority")
    juju.settle()
    model = juju.controller.model("default")

    def new(unit: str, hook: Hook | None = None) -> Run:
        logged: list[tuple[str, str, str]] = []
        found = model.unit(unit)
        context = Context(
            id="run",
            model=model,
            application=model.applications[found.application],
            unit=found,
            log=lambda *line: logged.append(line),
            hook=hook,
        )
        return Run(context, logged)

    return new


def test_a_container_scoped_relation_hides_other_containers(run: Runs) -> None:
    host = run("host/0")
    mine = host.context.unit.subordinates[0]
    other = run("host/1").context.unit.subordinates[0]
    (things,) = host.json("relation-ids things")

    assert host.json(f"relation-list -r {things}") == [mine]
    assert run(mine).json(f"relation-list -r {things}") == ["host/0"]
    assert "settings not found" in run(mine).refused(f"relation-get -r {things} - host/1")
    assert "settings not found" in host.refused(f"relation-get -r {things} - {other}")


def test_a_relation_hook_is_about_its_own_relation_and_unit(run: Runs) -> None:
    outside = run("host/0")
    number = int(outside.json("relation-ids certificates")[0].partition(":")[2])
    hook = Hook("relation-changed", number, "certificates", "authority", remote_unit="authority/0")
    inside = run("host/0", hook)

    assert inside("relation-get private-address") == "10.85.0.10\n"
    assert inside.json("relation-list") == ["authority/0"]
    assert inside.json("relation-ids") == [f"certificates:{number}"]
    inside("juju-log -l WARNING hello there")
    assert inside.logged == [
        ("WARNING", "unit.host/0.juju-log", f"certificates:{number}: hello there")
    ]


def test_what_charmhelpers_asks_for(run: Runs) -> None:
    leader, follower = run("host/0"), run("host/1")

    assert leader.json("config-get --all") == {"colour": "red", "size": None}
    leader("leader-set old=value")
    assert leader.json("leader-get") == {"old": "value"}
    leader.context.commit()
    assert follower("leader-get old") == "value\n"

"""What hook tools answer and refuse, in hooks of three units."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from testbed.juju.errors import ToolError
from testbed.juju.hooktools import SPECS
from testbed.juju.hooktools.call import invoke
from testbed.juju.hooktools.context import ActionRun, Context
from testbed.juju.state.status import Status
from testbed.juju.state.unitstate import Hook
from unit.juju.charms import AUTHORITY, PRINCIPAL, SUBORDINATE, pack
from unit.juju.conftest import Juju, a_controller

OPTIONS = {"colour": {"type": "string", "default": "red"}, "size": {"type": "int"}}

REFUSALS = [
    ("host/0", "relation-list -r certificates:99", "relation not found"),
    ("host/0", "relation-list -r website:1", "relation not found"),
    ("host/0", "relation-list -r x", "invalid relation id"),
    ("host/0", "relation-get -r {r} - nobody/7", "permission denied"),
    ("host/0", "relation-get -r {r} - authority", 'got application name "authority"'),
    ("host/0", "relation-get -r {r} - x/y", 'invalid unit name "x/y"'),
    ("host/1", "relation-get -r {r} --app - host", "permission denied"),
    ("host/0", "relation-get -r {r} --app - rider", "permission denied"),
    ("host/1", "relation-set -r {r} --app a=1", "cannot write relation settings"),
    ("host/0", "relation-set -r {r} novalue", 'expected "key=value"'),
    ("host/1", "leader-set a=1", "not the leader"),
    ("host/1", "status-set --application active x", "not the leader"),
    ("host/0", "status-set", "invalid args, require <status> [message]"),
    ("host/0", "status-set perfect", 'invalid status "perfect"'),
    ("host/0", "secret-get --label lost", 'consumer label "lost" not found'),
    ("host/0", "juju-log", "no message specified"),
    ("host/0", "network-get nothing", 'no network config found for binding "nothing"'),
    ("host/0", "application-version-set", "no version specified"),
    ("host/0", "action-get", "not running an action"),
    ("host/0", "config-get --what", "option provided but not defined: --what"),
]


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

    def new(unit: str, hook: Hook | None = None, action: ActionRun | None = None) -> Run:
        logged: list[tuple[str, str, str]] = []
        found = model.unit(unit)
        context = Context(
            id="run",
            model=model,
            application=model.applications[found.application],
            unit=found,
            log=lambda *line: logged.append(line),
            hook=hook,
            action=action,
        )
        return Run(context, logged)

    return new


def test_a_unit_sees_its_relations_and_who_is_in_them(run: Runs) -> None:
    leader, follower, authority = run("host/0"), run("host/1"), run("authority/0")

    (certificates,) = leader.json("relation-ids certificates")
    (friends,) = leader.json("relation-ids friends")

    assert leader.json("relation-ids website") == []
    assert leader.json(f"relation-list -r {certificates}") == ["authority/0"]
    assert leader.json(f"relation-list -r {certificates} --app") == "authority"
    assert follower.json(f"relation-list -r {friends}") == ["host/0"]
    (client,) = authority.json("relation-ids client")
    assert authority.json(f"relation-list -r {client}") == ["host/0", "host/1"]
    assert authority(f"relation-get -r {client} private-address host/1") == "10.85.0.11\n"


def test_a_container_scoped_relation_hides_other_containers(run: Runs) -> None:
    host = run("host/0")
    mine = host.context.unit.subordinates[0]
    other = run("host/1").context.unit.subordinates[0]
    (things,) = host.json("relation-ids things")

    assert host.json(f"relation-list -r {things}") == [mine]
    assert run(mine).json(f"relation-list -r {things}") == ["host/0"]
    assert "settings not found" in run(mine).refused(f"relation-get -r {things} - host/1")
    assert "settings not found" in host.refused(f"relation-get -r {things} - {other}")


def test_data_is_committed_at_the_end_and_seen_by_its_writer_at_once(run: Runs) -> None:
    writer = run("host/0")
    (relation,) = writer.json("relation-ids certificates")

    writer(f"relation-set -r {relation} a=1 b=two=2")
    writer(f"relation-set -r {relation} --app --file -", '{"c": "3", "d": null}')
    writer(f"relation-set -r {relation} a=")
    own = writer.json(f"relation-get -r {relation} - host/0")
    before = run("authority/0").json(
        f"relation-get -r {relation.replace('certificates', 'client')} - host/0"
    )
    writer.context.commit()
    reader = run("authority/0")
    (client,) = reader.json("relation-ids client")

    assert (own["b"], "a" in own, "b" in before) == ("two=2", False, False)
    assert reader.json(f"relation-get -r {client} - host/0")["b"] == "two=2"
    assert reader.json(f"relation-get -r {client} --app - host") == {"c": "3"}


def test_a_relation_hook_is_about_its_own_relation_and_unit(run: Runs) -> None:
    outside = run("host/0")
    number = int(outside.json("relation-ids certificates")[0].partition(":")[2])
    hook = Hook("relation-changed", number, "certificates", "authority", remote_unit="authority/0")
    inside = run("host/0", hook)

    assert inside("relation-get private-address") == "10.85.0.10\n"
    assert inside.json("relation-list") == ["authority/0"]
    inside("juju-log --log-level WARNING hello there")
    assert inside.logged == [
        ("WARNING", "unit.host/0.juju-log", f"certificates:{number}: hello there")
    ]
    assert "no relation id specified" in outside.refused("relation-get private-address")


def test_a_unit_is_refused_what_it_may_not_read_or_write(run: Runs) -> None:
    (relation,) = run("host/0").json("relation-ids certificates")

    said = {line: run(unit).refused(line.format(r=relation)) for unit, line, _ in REFUSALS}

    assert [line for _, line, refusal in REFUSALS if refusal not in said[line]] == []


def test_configuration_and_leadership(run: Runs) -> None:
    leader, follower = run("host/0"), run("host/1")

    assert leader.json("config-get") == {"colour": "red"}
    assert leader.json("config-get --all") == {"colour": "red", "size": None}
    assert leader("config-get colour") == "red\n"
    assert (leader.json("is-leader"), follower.json("is-leader")) == (True, False)
    leader("leader-set old=value")
    assert leader.json("leader-get") == {"old": "value"}
    leader.context.commit()
    assert follower("leader-get old") == "value\n"


def test_statuses_and_the_version_are_seen_at_once(run: Runs, juju: Juju) -> None:
    leader = run("host/0")

    leader("status-set --application=True blocked -- do this")
    leader("status-set waiting for -- something")
    leader("application-version-set 1.2")

    application = juju.status()["applications"]["host"]
    unit = application["units"]["host/0"]["workload-status"]
    assert application["application-status"]["message"] == "do this"
    assert (unit["current"], unit["message"]) == ("waiting", "for something")
    assert application["version"] == "1.2"


def test_a_unit_has_the_address_of_its_machine(run: Runs) -> None:
    here = run("host/0")

    network = here.json("network-get certificates")

    assert network["ingress-addresses"] == ["10.85.0.10"]
    assert network["bind-addresses"][0]["addresses"][0]["value"] == "10.85.0.10"


def test_an_action_gets_parameters_and_sets_nested_results(run: Runs) -> None:
    action = ActionRun("greet", "1", {"name": "you"})
    here = run("host/0", action=action)

    assert here("action-get name") == "you\n"
    assert here.json("action-get nothing") is None
    here("action-set a.b-c=x plain=y")
    here("action-fail -- it went wrong")

    assert action.results == {"a": {"b-c": "x"}, "plain": "y"}
    assert action.failure == "it went wrong"
    assert "reserved" in here.refused("action-set return-code=1")
    assert "lowercase" in here.refused("action-set Bad=1")


def test_goal_state_names_related_units_but_no_subordinates_of_others(run: Runs) -> None:
    host = run("host/0")
    mine, other = (run(f"host/{n}").context.unit.subordinates[0] for n in (0, 1))

    goals = host.json("goal-state")
    riders = run(mine).json("goal-state")

    assert sorted(goals["units"]) == ["host/0", "host/1"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ", goals["units"]["host/0"]["since"])
    assert sorted(goals["relations"]["things"]) == sorted(["rider", mine])
    assert riders["units"] == {}
    assert sorted(riders["relations"]["things"]) == ["host", "host/0", "host/1"]
    assert "riders" not in riders["relations"]
    assert other not in goals["relations"]["things"]


def test_the_version_shown_is_that_of_the_unit_that_said_or_lacked_one_last(run: Runs) -> None:
    first, second = run("host/0"), run("host/1")
    application = first.context.application
    first("application-version-set 1.0")
    assert application.workload_version == "1.0"

    second("application-version-set 2.0")
    assert application.workload_version == "2.0"

    application.units["host/1"].version = Status("")
    assert application.workload_version == ""


def test_a_unit_reads_the_status_that_it_has_set(run: Runs) -> None:
    leader, follower = run("host/0"), run("host/1")
    leader("status-set waiting 'for a peer'")
    leader("status-set --application active fine")

    assert leader("status-get") == "waiting\n"
    assert leader.json("status-get --include-data") == {
        "status": "waiting",
        "message": "for a peer",
        "status-data": {},
    }
    application = leader.json("status-get --application")["application-status"]
    assert (application["status"], application["message"]) == ("active", "fine")
    assert set(application["units"]) == {"host/0", "host/1"}
    assert "not the leader" in follower.refused("status-get --application")


def test_the_short_name_of_the_level_and_the_relation_of_a_hook_are_known(run: Runs) -> None:
    (relation,) = run("host/0").json("relation-ids certificates")
    number = int(relation.partition(":")[2])
    hook = Hook("relation-changed", number, "certificates", "authority", remote_unit="authority/0")
    inside = run("host/0", hook)
    inside("juju-log -l ERROR gone")

    assert inside.logged[-1][0] == "ERROR"
    assert inside.json("relation-ids") == [relation]
    assert "no endpoint name specified" in run("host/0").refused("relation-ids")


@pytest.mark.parametrize("flag", ["--help", "-h"])
def test_help_lists_the_flags_that_charms_look_for(run: Runs, flag: str) -> None:
    assert "--file\n" in run("host/0")(f"relation-set {flag}")
    assert "-l\n--log-level\n" in run("host/0")(f"juju-log {flag}")

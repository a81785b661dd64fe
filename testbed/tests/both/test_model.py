"""Two hosts with a rider each, and an authority: what commands and hook tools say of them."""

from __future__ import annotations

import json
import re
import shlex
from typing import Any

import pytest

from operators import Operator
from testbed.juju.manner import Manner
from unit.juju.charms import AUTHORITY, PRINCIPAL, STARTS, SUBORDINATE, pack

OPTIONS = {"colour": {"type": "string", "default": "red"}, "size": {"type": "int"}}
BEHAVIOUR = (
    STARTS
    + """
case "$JUJU_HOOK_NAME" in
certificates-relation-joined)
    relation-set a=1 b=two=2 gone=
    [ "$(is-leader)" = False ] || relation-set --app c=3 ;;
esac
case "$JUJU_ACTION_NAME" in
refuse) action-set tried=once deep.down=1; action-fail "nobody is there" ;;
crash) echo "no way" >&2; exit 3 ;;
tell) action-set account="$(action-get account --format=json)" ;;
esac
"""
)
ACCOUNT = {"account": {"type": "string", "default": "none"}}
ACTIONS: dict[str, Any] = {
    "refuse": {},
    "crash": {},
    "tell": {"params": {**ACCOUNT, "user": {"type": "string"}}, "required": ["user"]},
    "closed": {"params": ACCOUNT, "additionalProperties": False},
    "open": {"params": ACCOUNT},
}
# A hook tool's line, its exit code, and what it says. `{r}` is the relation of certificates.
REFUSALS = {
    "host/0": [
        ("relation-list -r certificates:99", 2, "relation not found"),
        ("relation-list -r x", 2, "invalid relation id"),
        ("relation-get private-address", 2, "no relation id specified"),
        ("relation-get -r {r} - nobody/7", 1, ""),
        ("relation-get -r {r} - authority", 2, 'got application name "authority"'),
        ("relation-get -r {r} - x/y", 2, 'invalid unit name "x/y"'),
        ("relation-get -r {r} --app - rider", 1, ""),
        ("relation-set -r {r} novalue", 2, 'expected "key=value"'),
        ("relation-ids", 2, "no endpoint name specified"),
        ("status-set", 2, "invalid args, require <status> [message]"),
        ("status-set perfect", 2, 'invalid status "perfect"'),
        ("status-set waiting for a", 2, 'unrecognized args: ["a"]'),
        ("application-version-set", 2, "no version specified"),
        ("application-version-set 1 2", 2, 'unrecognized args: ["2"]'),
        ("secret-get --label lost", 1, 'consumer label "lost" not found'),
        ("secret-get", 2, "require either a secret URI or label"),
        ("secret-add", 2, "missing secret value or filename"),
        ("secret-add key", 2, 'key value "key" not valid'),
        ("secret-add K=x", 2, 'key "K" not valid'),
        ("secret-info-get", 2, "require either a secret URI or label"),
        ("juju-log", 2, "no message specified"),
        ("network-get nothing", 1, 'no network config found for binding "nothing"'),
        ("action-set stdout=1", 2, 'cannot set reserved action key "stdout"'),
        ("action-fail it went", 2, 'unrecognized args: ["went"]'),
        ("action-set Bad=1", 2, "lowercase"),
        ("action-set novalue", 2, "must be of the form"),
        ("config-get --what", 2, "option provided but not defined: --what"),
    ],
    "host/1": [
        ("relation-set -r {r} --app a=1", 1, "cannot write relation settings"),
        ("status-set --application active x", 1, "not the leader"),
        ("status-get --application", 1, "not the leader"),
    ],
}


@pytest.fixture(scope="module")
def hosts(juju: Operator) -> Operator:
    """Deploy them. No test changes them for good."""
    pack(juju.folder, PRINCIPAL, behaviour=BEHAVIOUR, config=OPTIONS, actions=ACTIONS)
    pack(juju.folder, SUBORDINATE)
    pack(juju.folder, AUTHORITY)
    juju("deploy", "./host.charm", "-n", "2", "--config", "size=3")
    juju("deploy", "./rider.charm")
    juju("deploy", "./authority.charm", "--to", "0")
    juju("integrate", "rider:things", "host:things")
    juju("integrate", "host:certificates", "authority:client")
    juju.settle()
    return juju


def leader(hosts: Operator) -> str:
    """Return the unit of host that leads: `host/0`, unless a real controller chose the other."""
    return next(name for name in ("host/0", "host/1") if hosts.unit(name).get("leader"))


def follower(hosts: Operator) -> str:
    return "host/1" if leader(hosts) == "host/0" else "host/0"


def rider_of(hosts: Operator, unit: str) -> str:
    (rider,) = hosts.unit(unit)["subordinates"]
    return rider


def asked(hosts: Operator, unit: str, line: str) -> Any:
    """Return what a hook tool answers in a unit, read as JSON."""
    return json.loads(hosts.inside(unit, f"{line} --format=json"))


def ids(hosts: Operator, unit: str, endpoint: str) -> str:
    (relation,) = asked(hosts, unit, f"relation-ids {endpoint}")
    return relation


def answers(hosts: Operator, unit: str, lines: list[str]) -> list[tuple[int, str]]:
    """Return the exit code and the output of each line, all of one run."""
    script = "".join(f'{line} 2>&1; echo "=$?="; ' for line in lines)
    said = re.split(r"=(\d+)=\n?", hosts.inside(unit, script) + "\n")
    return [(int(code), text) for text, code in zip(said[::2], said[1::2], strict=False)]


@pytest.mark.parametrize("who", REFUSALS)
def test_a_hook_tool_refuses_in_jujus_words(hosts: Operator, who: str) -> None:
    unit = leader(hosts) if who == "host/0" else follower(hosts)
    relation = ids(hosts, unit, "certificates")
    lines = [line.format(r=relation) for line, _, _ in REFUSALS[who]]

    said = answers(hosts, unit, lines)

    differ = [
        f"{line}: wanted {code} {text}, got {got}"
        for (line, code, text), got in zip(REFUSALS[who], said, strict=True)
        if got[0] != code or text not in got[1]
    ]
    assert "\n".join(differ) == ""


def test_a_unit_sees_its_relations_and_who_is_in_them(hosts: Operator) -> None:
    lead = leader(hosts)
    certificates, friends = ids(hosts, lead, "certificates"), ids(hosts, lead, "friends")
    client = ids(hosts, "authority/0", "client")

    assert asked(hosts, lead, "relation-ids website") == []
    assert asked(hosts, lead, f"relation-list -r {certificates}") == ["authority/0"]
    assert asked(hosts, lead, f"relation-list --app -r {certificates}") == "authority"
    assert asked(hosts, lead, f"relation-list -r {friends}") == [follower(hosts)]
    assert asked(hosts, "authority/0", f"relation-list -r {client}") == ["host/0", "host/1"]
    address = hosts.unit("host/1")["public-address"]
    line = f"relation-get -r {client} ingress-address host/1"
    assert hosts.inside("authority/0", line) == address


def test_data_is_what_the_other_side_has_set(hosts: Operator) -> None:
    client = ids(hosts, "authority/0", "client")

    unit = asked(hosts, "authority/0", f"relation-get -r {client} - host/0")
    application = asked(hosts, "authority/0", f"relation-get -r {client} --app - host")

    assert (unit["a"], unit["b"], "gone" in unit) == ("1", "two=2", False)
    assert application == {"c": "3"}


def test_a_relation_of_a_subordinate_has_the_units_that_juju_shows_it(hosts: Operator) -> None:
    rider, other = rider_of(hosts, "host/0"), rider_of(hosts, "host/1")
    things = ids(hosts, "host/0", "things")

    seen = asked(hosts, "host/0", f"relation-list -r {things}")

    assert rider in seen
    assert (other in seen) is (hosts.manner is Manner.JUJU_4_1)


def test_configuration_and_leadership(hosts: Operator) -> None:
    lead, other = leader(hosts), follower(hosts)

    assert asked(hosts, lead, "config-get") == {"colour": "red", "size": 3}
    assert hosts.inside(lead, "config-get colour") == "red"
    assert (asked(hosts, lead, "is-leader"), asked(hosts, other, "is-leader")) == (True, False)
    assert hosts.inside(lead, "is-leader") == "True"


def test_a_unit_reads_the_status_that_it_has_set(hosts: Operator) -> None:
    lead = leader(hosts)
    line = "status-set waiting -- 'for something'; status-set --application=True active fine"
    hosts.inside(lead, line)

    shown = hosts.status()["applications"]["host"]
    own = shown["units"][lead]["workload-status"]
    assert (own["current"], own["message"]) == ("waiting", "for something")
    assert shown["application-status"]["message"] == "fine"
    assert hosts.inside(lead, "status-get") == "waiting"
    told = asked(hosts, lead, "status-get --include-data")
    assert (told["status"], told["message"]) == ("waiting", "for something")
    hosts.inside(lead, "status-set active")


def test_goal_state_names_related_units_but_no_subordinates_of_others(hosts: Operator) -> None:
    mine, other = rider_of(hosts, "host/0"), rider_of(hosts, "host/1")

    goals = asked(hosts, "host/0", "goal-state")
    riders = asked(hosts, mine, "goal-state")

    assert sorted(goals["units"]) == ["host/0", "host/1"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ", goals["units"]["host/0"]["since"])
    assert sorted(goals["relations"]["things"]) == sorted(["rider", mine])
    assert riders["units"] == {}
    assert sorted(riders["relations"]["things"]) == ["host", "host/0", "host/1"]
    assert "riders" not in riders["relations"]
    assert other not in goals["relations"]["things"]


def test_what_a_command_has_written_is_seen_at_once_and_stays_though_it_fails(
    hosts: Operator,
) -> None:
    friends = ids(hosts, "host/0", "friends")
    writing = f"relation-set -r {friends} kept=1 && relation-get -r {friends} kept host/0"

    said = hosts.refused_inside("host/0", f"{writing} && exit 3")

    assert said.startswith("1\n")
    assert hosts.shown("host/0", "friends")["local-unit"]["data"]["kept"] == "1"


def test_the_data_of_the_own_application_is_hidden_from_followers_by_3_6_alone(
    hosts: Operator,
) -> None:
    unit = follower(hosts)
    line = f"relation-get -r {ids(hosts, unit, 'certificates')} --app - host"

    ((code, text),) = answers(hosts, unit, [line])

    if hosts.manner is Manner.JUJU_3_6:
        assert (code, "permission denied" in text) == (1, True)
    else:
        assert (code, text) == (0, 'c: "3"\n')


def test_exec_prints_the_output_of_a_command_and_fails_with_it(hosts: Operator) -> None:
    assert hosts("exec", "--unit", "host/0", "--", "echo", "two words") == "two words\n"
    assert "host/1:\nhost/1" in hosts(
        "exec", "--application", "host", "--", "echo $JUJU_UNIT_NAME"
    )
    report = json.loads(hosts("exec", "--format=json", "--unit", "host/0", "--", "echo out"))
    assert report["host/0"]["results"] == {"return-code": 0, "stdout": "out\n"}
    assert "return code 3" in hosts.refused("exec", "--unit", "host/0", "--", "exit 3")
    assert "must specify a target" in hosts.refused("exec", "ls", code=2)
    unknown = hosts.try_("exec", "--unit", "host/9", "ls")
    assert (unknown.returncode, unknown.stdout) == (0, "")
    assert "failed to schedule any tasks" in unknown.stderr


def task(hosts: Operator, *args: str) -> dict[str, Any]:
    return json.loads(hosts("run", "host/0", *args, "--format=json"))["host/0"]


def test_an_action_that_fails_itself_is_no_failure_of_the_command(hosts: Operator) -> None:
    told = hosts.try_("run", "host/0", "refuse")
    reported = task(hosts, "refuse")

    assert told.returncode == 0
    numbered = re.sub(r"id \d+", "id N", told.stdout)
    assert numbered == 'Action id N failed: nobody is there\ndeep:\n  down: "1"\ntried: once\n\n'
    assert (reported["status"], reported["message"]) == ("failed", "nobody is there")
    assert reported["results"] == {"deep": {"down": "1"}, "tried": "once", "return-code": 0}


def test_a_return_code_of_the_process_is_a_failure_of_the_command(hosts: Operator) -> None:
    crashed = hosts.try_("run", "host/0", "crash")

    failed = r'following task failed:\n - id "(\d+)" with return code 3\n'
    (number,) = re.findall(failed, crashed.stderr)
    assert crashed.returncode == 1
    assert crashed.stdout == f"Action id {number} failed: exit status 3\n\nno way\n"


def test_an_unknown_action_is_not_run(hosts: Operator) -> None:
    done = hosts.try_("run", leader(hosts), "dance")

    if hosts.manner is Manner.JUJU_3_6:
        assert (done.returncode, done.stdout) == (0, "")
        assert 'failed to schedule any tasks:\naction "dance" not defined' in done.stderr
    else:
        unit = leader(hosts)
        refusal = f'ERROR action "dance" not defined for unit "{unit}". (not found)\n'
        assert (done.returncode, done.stderr) == (1, refusal)
        none = hosts.refused("run", "authority/0", "dance")
        assert none == "ERROR no actions defined for charm authority. (not found)\n"


@pytest.mark.parametrize(
    ("action", "words", "reason"),
    [
        (
            "tell",
            ["account=111122223333", "user=bob"],
            "(root).account : must be of type string, given 111122223333",
        ),
        ("tell", ["account=a"], '(root) : "user" property is missing and required, given '),
        ("closed", ["user=bob"], '(root) : additional property "user" is not allowed, given '),
    ],
)
def test_wrong_parameters_are_refused_by_3_6_at_once_and_by_4_on_the_unit(
    hosts: Operator, action: str, words: list[str], reason: str
) -> None:
    done = hosts.try_("run", "host/0", action, *words)

    assert done.returncode == 0
    if hosts.manner is Manner.JUJU_3_6:
        assert done.stdout == ""
        assert f"failed to schedule any tasks:\nvalidation failed: {reason}" in done.stderr
    else:
        start = f' failed: cannot run "{action}" action: validation failed: {reason}'
        assert start in done.stdout
        assert done.stdout.count("\n") == 1


def test_a_parameter_that_the_charm_does_not_name_is_taken_by_3_6_alone(hosts: Operator) -> None:
    done = task(hosts, "open", "user=bob")

    if hosts.manner is Manner.JUJU_3_6:
        assert done["status"] == "completed"
    else:
        assert 'additional property "user" is not allowed' in done["message"]


def test_string_args_are_passed_as_they_are(hosts: Operator) -> None:
    done = task(hosts, "tell", "--string-args", "account=111122223333", "user=bob")

    assert done["results"]["account"] == '"111122223333"'
    assert done["status"] == "completed"


def test_status_for_people_has_jujus_tables(hosts: Operator) -> None:
    hosts.settle()
    text = hosts("status", "--relations")

    titles = [line.split()[0] for line in text.splitlines() if line and line[0].isupper()]
    assert titles == ["Model", "App", "Unit", "Machine", "Integration"]
    lines = [line.split() for line in text.splitlines()]
    assert any(line[:3] == [f"{leader(hosts)}*", "active", "idle"] for line in lines)
    assert ["host:things", "rider:things", "things", "subordinate"] in lines


def test_status_shows_the_application_that_is_named_and_its_principal(hosts: Operator) -> None:
    status = hosts.status("rider")

    # 3.6 brings along the neighbours on the same machine.
    assert {*status["applications"]} - {"authority"} == {"host", "rider"}
    assert list(status["applications"]["host"]["units"]) == ["host/0", "host/1"]


def test_options_are_shown_set_and_reset(hosts: Operator) -> None:
    hosts("config", "authority")
    shown = json.loads(hosts("config", "host", "--format=json"))["settings"]
    assert (shown["colour"]["value"], shown["colour"]["source"]) == ("red", "default")
    assert (shown["size"]["value"], shown["size"]["source"]) == (3, "user")
    (hosts.folder / "colour").write_text("green\n")

    hosts("config", "host", "colour=@colour")
    assert hosts("config", "host", "colour").strip() == "green"
    hosts("config", "host", "--reset", "colour")

    assert hosts("config", "host", "colour") == "red\n"
    assert 'unknown option "shape"' in hosts.refused("config", "host", "shape=1")
    assert 'option "size" expected int, got "big"' in hosts.refused("config", "host", "size=big")
    assert 'key "shape" not found' in hosts.refused("config", "host", "shape")


@pytest.mark.parametrize(
    ("words", "code", "text"),
    [
        ("deploy ./nothing.charm", 1, "no charm was found"),
        ("deploy ./host.charm", 1, "application already exists"),
        ("deploy ./host.charm x --config shape=round", 1, 'unknown option "shape"'),
        ("deploy ./host.charm x --base ubuntu@20.04", 1, "ubuntu@20.04"),
        ("integrate host:nothing authority", 1, "nothing"),
        ("integrate host:certificates authority:client", 1, "already exists"),
        ("remove-unit --no-prompt rider/0", 1, "is a subordinate"),
        ("status --format=xml", 2, "xml"),
    ],
)
def test_a_wrong_command_is_refused_in_jujus_words(
    hosts: Operator, words: str, code: int, text: str
) -> None:
    assert text in hosts.refused(*shlex.split(words), code=code)


def test_a_subordinate_lists_its_own_principal_and_its_goal_state_names_all(
    hosts: Operator,
) -> None:
    """Juju 4.0 lists the first principal too, for a unit that begins on the second one."""
    hosts("deploy", "./host.charm", "other")
    hosts("integrate", "rider:things", "other:things")
    hosts.settle()

    for host in ("host/0", "other/0"):
        rider = rider_of(hosts, host)
        listed = asked(hosts, rider, "relation-ids things")
        goal = asked(hosts, rider, "goal-state")["relations"]["things"]

        remote = [asked(hosts, rider, f"relation-list --app -r {each}") for each in listed]
        assert host.partition("/")[0] in remote
        assert {"host", "host/0", "other", "other/0"} <= {*goal}

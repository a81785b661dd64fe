"""juju run: what comes of an action, and which exit code the operator gets."""

from __future__ import annotations

import json
from typing import Any

import pytest

from testbed.juju.manner import Manner
from unit.juju.charms import PRINCIPAL, STARTS, pack
from unit.juju.conftest import Juju, in_manner

both = in_manner(*Manner)
BEHAVIOUR = (
    STARTS
    + """
case "$JUJU_ACTION_NAME" in
refuse) action-set tried=once; action-fail "nobody is there" ;;
crash) echo "no way" >&2; exit 3 ;;
tell) action-set account="$(action-get account --format=json)" ;;
esac
"""
)
ACCOUNT = {"account": {"type": "string", "default": "none"}}
ACTIONS = {
    "refuse": {},
    "crash": {},
    "tell": {"params": {**ACCOUNT, "user": {"type": "string"}}, "required": ["user"]},
    "closed": {"params": ACCOUNT, "additionalProperties": False},
    "open": {"params": ACCOUNT},
}


@pytest.fixture
def host(juju: Juju) -> Juju:
    charm = pack(juju.folder, PRINCIPAL, behaviour=BEHAVIOUR, actions=ACTIONS)
    juju("deploy", str(charm))
    juju.settle()
    return juju


def task(juju: Juju, *args: str) -> dict[str, Any]:
    document = json.loads(juju("run", "host/0", *args, "--format=json"))
    return document["host/0"]


@both
def test_an_action_that_fails_itself_is_no_failure_of_the_command(host: Juju) -> None:
    told = host.try_("run", "host/0", "refuse")
    reported = task(host, "refuse")

    assert told.returncode == 0
    assert told.stdout == "Action id 2 failed: nobody is there\ntried: once\n\n"
    assert (reported["status"], reported["message"]) == ("failed", "nobody is there")
    assert reported["results"] == {"tried": "once", "return-code": 0}


@both
def test_a_return_code_of_the_process_is_a_failure_of_the_command(host: Juju) -> None:
    crashed = host.try_("run", "host/0", "crash")

    assert crashed.returncode == 1
    assert crashed.stdout == "Action id 2 failed: exit status 3\n\nno way\n"
    assert 'the following task failed:\n - id "2" with return code 3\n' in crashed.stderr


@both
def test_tasks_and_operations_are_numbered_in_one_sequence(host: Juju) -> None:
    first = host.try_("run", "host/0", "refuse")
    second = task(host, "refuse")

    assert "Running operation 1 with 1 task\n  - task 2 on unit-host-0" in first.stderr
    assert second["id"] == "4"


@in_manner(Manner.JUJU_3_6)
def test_3_6_does_not_schedule_an_unknown_action(host: Juju) -> None:
    done = host.try_("run", "host/0", "dance")

    assert (done.returncode, done.stdout) == (0, "")
    assert 'Operation 1 failed to schedule any tasks:\naction "dance" not defined' in done.stderr


@in_manner(Manner.JUJU_4_1)
def test_4_1_refuses_an_unknown_action(host: Juju) -> None:
    refusal = host.refused("run", "host/leader", "dance")

    assert refusal == 'ERROR action "dance" not defined for unit "host/0". (not found)\n'


@in_manner(Manner.JUJU_4_1)
def test_4_1_refuses_an_action_of_a_charm_that_has_none(juju: Juju) -> None:
    juju("deploy", str(pack(juju.folder, PRINCIPAL)))

    refusal = juju.refused("run", "host/0", "dance")

    assert refusal == "ERROR no actions defined for charm host. (not found)\n"


WRONG = [
    (
        "tell",
        ["account=111122223333", "user=bob"],
        "(root).account : must be of type string, given 111122223333",
    ),
    ("tell", ["account=a"], '(root) : "user" property is missing and required, given '),
    ("closed", ["user=bob"], '(root) : additional property "user" is not allowed, given '),
]


@in_manner(Manner.JUJU_3_6)
@pytest.mark.parametrize(("action", "words", "reason"), WRONG)
def test_3_6_does_not_schedule_an_action_with_wrong_parameters(
    host: Juju, action: str, words: list[str], reason: str
) -> None:
    done = host.try_("run", "host/0", action, *words)

    assert (done.returncode, done.stdout) == (0, "")
    assert f"failed to schedule any tasks:\nvalidation failed: {reason}" in done.stderr


@in_manner(Manner.JUJU_4_1)
@pytest.mark.parametrize(("action", "words", "reason"), WRONG)
def test_on_4_1_the_unit_refuses_wrong_parameters(
    host: Juju, action: str, words: list[str], reason: str
) -> None:
    done = host.try_("run", "host/0", action, *words)

    start = f'Action id 2 failed: cannot run "{action}" action: validation failed: {reason}'
    assert done.returncode == 0
    assert done.stdout.startswith(start)
    assert done.stdout.endswith("\nTask 2 failed\n\n")


@in_manner(Manner.JUJU_3_6)
def test_on_3_6_an_action_takes_any_parameter_unless_it_says_otherwise(host: Juju) -> None:
    assert task(host, "open", "user=bob")["status"] == "completed"


@in_manner(Manner.JUJU_4_1)
def test_on_4_1_an_action_takes_no_other_parameter_unless_it_says_otherwise(host: Juju) -> None:
    assert 'additional property "user" is not allowed' in task(host, "open", "user=bob")["message"]


@both
def test_string_args_are_passed_as_they_are(host: Juju) -> None:
    done = task(host, "tell", "--string-args", "account=111122223333", "user=bob")

    assert done["results"]["account"] == '"111122223333"'
    assert done["status"] == "completed"

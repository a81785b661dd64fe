"""Bugs are told as bugs, with their place, and what is not Kubernetes as that."""

from __future__ import annotations

import re
from typing import Any

import ops
import ops.testing
import pytest
from tests.fakes.juju.model import Model
from tests.fakes.kubernetes.faults import answer
from tests.fakes.kubernetes.paths import MAPPINGS, SERVICE
from tests.fakes.kubernetes.server import FakeCluster
from tests.fakes.machine import Files

from checks import pods
from cluster import access as stored
from cluster import services, teardown
from errors import Blocked, Unready, Waiting, collected
from juju import control_plane
from juju.wake import Wake
from leader import access, steps
from machine import files as machine_files

SAID = re.compile(r"internal error KeyError at (\w+\.py):\d+; run: juju debug-log --include (.+)")


# The traceback shows lines of code, so the text itself stands outside of them.
TEXT = "secret-text"


def bug(*_: Any, **__: Any) -> Any:
    raise KeyError(TEXT)


@pytest.fixture
def buggy(deployed: Model) -> Model:
    """Settled, and about to fail by itself."""
    deployed.has_bugs = True
    return deployed


@pytest.mark.parametrize(
    ("leader", "of", "name"),
    [
        # Inside of the look at the cluster, and outside.
        (0, access, "bring"),
        (0, steps, "ensure_cluster_id"),
        (0, services, "apply"),
        # In what ends access, too.
        (0, stored, "mappings"),
        # Of a unit that does not lead, and of the alarm.
        (None, control_plane, "find"),
        (0, Wake, "again"),
    ],
)
def test_given_a_bug_when_a_hook_runs_then_the_status_names_it_and_the_log_has_no_text_of_it(
    buggy: Model, monkeypatch: pytest.MonkeyPatch, leader: int | None, of: Any, name: str
):
    buggy.leader = leader
    with monkeypatch.context() as patch:
        patch.setattr(of, name, bug)
        status = buggy.hook()

    assert isinstance(status, ops.BlockedStatus)
    found = SAID.fullmatch(status.message)
    assert found, status
    assert found[2] == "aws-iam/0"
    assert len(status.message) <= 110
    line = next(line for line in buggy.units[0].context.juju_log if line.level == "ERROR")
    assert line.message.startswith("internal error KeyError at\n")
    assert "in bug" in line.message
    assert TEXT not in buggy.log()
    assert "not Kubernetes" not in buggy.log()
    assert buggy.units[0].alarms or of is Wake
    assert buggy.hook().name == "active"


def test_given_bugs_when_the_unit_goes_then_it_is_not_blocked_and_the_log_says_what_stays(
    buggy: Model, files: Files, monkeypatch: pytest.MonkeyPatch
):
    with monkeypatch.context() as patch:
        patch.setattr(machine_files, "remove", bug)
        status = buggy.hook(buggy.on.stop())
    # Juju 4 ends a going unit that is blocked before its last hooks.
    assert isinstance(status, ops.WaitingStatus)
    assert SAID.fullmatch(status.message)

    monkeypatch.setattr(teardown, "remove", bug)
    buggy.hook(buggy.on.remove())
    assert not files.webhook.exists()
    assert "internal error KeyError" in buggy.log()
    assert "remove it with: kubectl" in buggy.log()


@pytest.mark.parametrize(
    ("action", "module", "name"),
    # A step of check that has no result would count as late.
    [("list-mappings", stored, "mappings"), ("check", pods, "look")],
)
def test_given_a_bug_when_an_action_runs_then_it_fails_and_names_it(
    buggy: Model, monkeypatch: pytest.MonkeyPatch, action: str, module: Any, name: str
):
    monkeypatch.setattr(module, name, bug)

    with pytest.raises(ops.testing.ActionFailed) as failure:
        buggy.action(action)

    assert SAID.fullmatch(failure.value.message)
    assert TEXT not in buggy.log()


@pytest.mark.parametrize(
    "fault", [answer(200, body) for body in (b"<html>", b"[]", b'{"kind": "\xff"}')]
)
@pytest.mark.parametrize("request_", [f"GET {SERVICE}", f"GET {MAPPINGS}"])
def test_given_something_that_is_not_kubernetes_when_a_hook_runs_then_the_status_says_that(
    deployed: Model, api: FakeCluster, request_: str, fault: Any
):
    api.fail(fault, request=request_)

    status = deployed.hook()

    assert isinstance(status, ops.WaitingStatus)
    assert status.message.startswith("something other than Kubernetes answers: ")


BY_EVENT = Blocked("first", announced=True)
BY_ITSELF = Waiting("second")


def test_given_steps_with_problems_then_all_are_taken_and_the_problems_are_in_their_order():
    problems, taken = list[Unready](), list[str]()

    for problem in (BY_EVENT, BY_ITSELF):
        with collected(problems):
            taken.append(str(problem))
            raise problem

    assert taken == ["first", "second"]
    assert problems == [BY_EVENT, BY_ITSELF]


def test_given_a_bug_in_a_step_then_it_is_no_problem_to_collect():
    problems = list[Unready]()

    with pytest.raises(KeyError), collected(problems):
        raise KeyError
    assert problems == []

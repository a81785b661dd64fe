"""Step 1: whether Kubernetes answers, and what its clock says."""

from __future__ import annotations

import datetime

import pytest
from tests.fakes.checking import CLOCK, NOW, SITE

from checks import StepState, kubernetes
from errors import Blocked, Unready, Waiting, WaitingForKubeconfig


def seconds(number: float) -> datetime.timedelta:
    return datetime.timedelta(seconds=number)


@pytest.mark.parametrize(
    ("ahead", "state", "said"),
    [
        (0.9, StepState.OK, "the clocks differ by 0 s"),
        (-30.0, StepState.OK, "the clocks differ by 30 s"),
        (60.0, StepState.FAILED, "this machine's clock is 60 s ahead of the API server's"),
        (-1200.0, StepState.FAILED, "this machine's clock is 1200 s behind the API server's"),
    ],
)
def test_given_two_clocks_then_a_minute_between_them_fails(
    ahead: float, state: StepState, said: str
) -> None:
    outcome = kubernetes.verdict("v1.28.15", NOW, NOW + seconds(ahead), SITE)

    assert outcome.state == state
    assert said in outcome.seen
    assert outcome.seen.startswith("v1.28.15 answers")
    assert outcome.remedy == ("" if state == StepState.OK else CLOCK)


def test_given_a_server_that_does_not_say_its_time_then_it_answers_all_the_same() -> None:
    outcome = kubernetes.verdict("v1.28.15", None, NOW, SITE)
    assert (outcome.state, outcome.remedy) == (StepState.OK, "")


@pytest.mark.parametrize(
    ("problem", "command"),
    [
        (Waiting("waiting for the Kubernetes API: Connection refused"), "systemctl start snap."),
        (WaitingForKubeconfig("waiting for a usable file"), "./dispatch"),
        (Blocked("the cluster rejects an object of this charm: 'no'"), "./dispatch"),
    ],
)
def test_given_no_answer_then_the_cause_decides_on_the_command(problem: Unready, command: str):
    outcome = kubernetes.unreachable(problem, SITE)

    assert (outcome.state, outcome.seen) == (StepState.FAILED, str(problem))
    assert outcome.remedy.startswith("run: juju exec --unit kubernetes-control-plane/2 -- ")
    assert command in outcome.remedy

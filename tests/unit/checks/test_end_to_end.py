"""Step 5: whether a login went the whole way."""

from __future__ import annotations

import pytest
from tests.fakes.checking import NAMES

from checks import StepState, end_to_end
from checks.end_to_end import Review


@pytest.mark.parametrize(
    ("found", "state", "said"),
    [
        (Review(arrived=True), StepState.OK, "a pod refused a made-up login"),
        (
            Review(arrived=True, answered=True, error="no"),
            StepState.OK,
            "a pod refused a made-up login",
        ),
        (
            Review(answered=True, error="connection refused"),
            StepState.FAILED,
            "did not arrive at any pod; the API server answers: 'connection refused'",
        ),
        (
            Review(),
            StepState.FAILED,
            "did not arrive at any pod; the API server does not answer in time",
        ),
        (Review(unread="500 no"), StepState.FAILED, "not all logs could be read: '500 no'"),
        (
            Review(arrived=True, answered=True, authenticated=True),
            StepState.FAILED,
            "the API server lets a made-up token in",
        ),
    ],
)
def test_given_what_came_of_a_login_then_the_step_says_whether_it_arrived(
    found: Review, state: StepState, said: str
) -> None:
    outcome = end_to_end.verdict(found, NAMES)

    assert outcome.state == state
    assert said in outcome.seen
    assert bool(outcome.remedy) == (state == StepState.FAILED)

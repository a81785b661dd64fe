"""Step 5: whether a login went the whole way."""

from __future__ import annotations

import pytest
from tests.fakes.checking import NAMES

from checks import StepState, end_to_end
from checks.end_to_end import Review


@pytest.mark.parametrize(
    ("review", "arrived", "unread", "state", "said"),
    [
        (Review(), True, "", StepState.OK, "a pod refused a made-up login"),
        (Review(), False, "", StepState.FAILED, "at any pod; the API server does not answer in"),
        (Review("it answers"), False, "", StepState.FAILED, "arrive at any pod; it answers"),
        (Review(), False, "500 no", StepState.FAILED, "not all logs could be read: '500 no'"),
        (Review("", authenticated=True), True, "", StepState.FAILED, "lets a made-up token in"),
    ],
)
def test_given_what_came_of_a_login_then_the_step_says_whether_it_arrived(
    review: Review, arrived: bool, unread: str, state: StepState, said: str
) -> None:
    outcome = end_to_end.verdict(review, NAMES, arrived=arrived, unread=unread)

    assert outcome.state == state
    assert said in outcome.seen
    assert bool(outcome.remedy) == (state == StepState.FAILED)

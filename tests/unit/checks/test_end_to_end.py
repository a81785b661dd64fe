"""Step 5: whether a login went the whole way."""

from __future__ import annotations

import pytest
from tests.fakes.checking import SITE

from checks import StepState, end_to_end
from checks.end_to_end import Review


@pytest.mark.parametrize(
    ("review", "unread", "said"),
    [
        (Review("it answers"), "", "arrive at any pod; it answers"),
        (Review(), "500 no", "not all logs could be read: '500 no'"),
        (Review(authenticated=True), "", "lets a made-up token in"),
    ],
)
def test_given_a_login_that_did_not_come_back_refused_then_the_step_says_why_and_what_helps(
    review: Review, unread: str, said: str
) -> None:
    outcome = end_to_end.verdict(review, SITE, arrived=review.authenticated, unread=unread)

    assert outcome.state == StepState.FAILED
    assert said in outcome.seen
    assert outcome.remedy

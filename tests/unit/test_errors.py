"""Problems that do not stop a hook."""

from __future__ import annotations

import pytest

from errors import Blocked, Unready, Waiting, collected


def test_given_steps_with_problems_then_all_are_taken_and_a_bug_is_none_to_collect():
    problems, raised = list[Unready](), [Blocked("first", announced=True), Waiting("second")]

    for problem in raised:
        with collected(problems):
            raise problem
    with pytest.raises(KeyError), collected(problems):
        raise KeyError

    assert problems == raised

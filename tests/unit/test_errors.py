"""Problems that do not stop a hook."""

from __future__ import annotations

import pytest

from errors import Blocked, Unready, Waiting, collected

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

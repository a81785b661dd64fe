"""Problems that do not stop a hook: which of them the status shows, and what ends it."""

from __future__ import annotations

import pytest

from errors import Blocked, Unready, Waiting, WaitingForKubeconfig, collected, worst

BY_EVENT = Blocked("first", announced=True)
BY_ITSELF = Waiting("second")


@pytest.mark.parametrize(
    ("problems", "else_announced", "announced"),
    [
        ([BY_EVENT], True, True),
        ([BY_EVENT], False, False),
        ([BY_EVENT, Waiting("second", announced=True)], True, True),
        ([BY_EVENT, BY_ITSELF], True, False),
        ([Blocked("first"), Waiting("second", announced=True)], True, False),
    ],
)
def test_given_problems_then_the_first_is_shown_and_an_event_must_announce_the_end_of_all(
    problems: list[Unready], else_announced: bool, announced: bool
):
    found = worst(problems, announced=else_announced)

    assert (type(found), str(found), found.announced) == (Blocked, "first", announced)


def test_given_a_problem_of_its_own_kind_then_it_keeps_it():
    assert type(worst([WaitingForKubeconfig("none")])) is WaitingForKubeconfig


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

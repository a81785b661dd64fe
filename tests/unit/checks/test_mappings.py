"""Step 7: how many mappings there are, and which need attention."""

from __future__ import annotations

import dataclasses

import pytest
from tests.fakes.checking import NAMES, NOW, RECONCILE

from access.mapping import IdentityMapping
from checks import StepState, mappings

DEV = "arn:aws:iam::111122223333:role/dev"
WORKS = IdentityMapping("dev", DEV, "dev", DEV)


@pytest.mark.parametrize(
    ("found", "state", "said", "remedy"),
    [
        ([], StepState.OK, "no mappings, so nobody can log in yet", ""),
        ([WORKS], StepState.OK, "1 mapping, all of them work", ""),
        (
            [dataclasses.replace(WORKS, expires="2026-11-27T12:00:01Z")],
            StepState.OK,
            "1 mapping, all of them work",
            "",
        ),
        (
            [dataclasses.replace(WORKS, expires="2026-11-27T12:00:00Z")],
            StepState.OK,
            "1 mapping, 1 ending within a day: dev at 2026-11-27T12:00:00Z, all of them work",
            "",
        ),
        (
            [dataclasses.replace(WORKS, expires="2026-11-26T12:00:00Z")],
            StepState.FAILED,
            "1 mapping, 1 ended and still there: dev",
            RECONCILE,
        ),
        (
            [WORKS, dataclasses.replace(WORKS, name="twin")],
            StepState.FAILED,
            (
                "2 mappings, 2 broken mappings: dev: same ARN as mapping twin; delete one of "
                "them; twin: same ARN as mapping dev; delete one of them"
            ),
            "see all: juju run aws-iam/leader list-mappings",
        ),
        (
            [dataclasses.replace(WORKS, canonical="")],
            StepState.FAILED,
            "1 mapping, 1 not effective yet: dev",
            RECONCILE,
        ),
    ],
)
def test_given_mappings_then_those_that_need_attention_are_named(
    found: list[IdentityMapping], state: StepState, said: str, remedy: str
) -> None:
    outcome = mappings.verdict(found, "aws", NOW, NAMES)

    assert outcome.state == state
    assert outcome.seen == said
    assert outcome.remedy == remedy


def test_given_many_wrong_mappings_then_three_are_named_and_the_others_are_counted() -> None:
    found = [dataclasses.replace(WORKS, name=f"dev{n}", username="") for n in range(5)]

    outcome = mappings.verdict(found, "aws", NOW, NAMES)

    assert outcome.seen.count("set spec.username") == 3
    assert outcome.seen.endswith("and 2 more")


def test_given_as_many_wrong_mappings_as_are_named_then_none_is_counted_beside_them() -> None:
    found = [dataclasses.replace(WORKS, name=f"dev{n}", username="") for n in range(3)]

    assert "more" not in mappings.verdict(found, "aws", NOW, NAMES).seen

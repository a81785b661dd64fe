"""What makes an IAMIdentityMapping work, or never work."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from tests.fakes.arns import CANONICAL, DEV, PATHED

from access.mapping import IdentityMapping
from access.validity import Checked, check

NOTHING = Checked({}, frozenset())


def mapping(name: str, arn: str, canonical: str = "", username: str = "alice") -> IdentityMapping:
    return IdentityMapping(name, arn, username, canonical)


def test_given_no_mappings_when_checked_then_there_is_nothing_to_say():
    assert check([]) == NOTHING


def test_given_a_mapping_that_works_when_checked_then_there_is_no_problem():
    assert check([mapping("dev", DEV, CANONICAL)]) == NOTHING


def test_given_an_arn_that_became_invalid_when_checked_then_it_is_a_problem():
    found = check([mapping("dev", "dev", CANONICAL)])

    assert found.problems["dev"].startswith("'dev' is not an ARN")


def test_given_a_role_with_its_path_when_checked_then_the_arn_to_map_instead_is_named():
    found = check([mapping("dev", PATHED)])

    assert found.problems == {
        "dev": "no login has a role path; map arn:aws:iam::111122223333:role/dev instead"
    }


@pytest.mark.parametrize(
    "spelt",
    [
        DEV,
        "ARN:AWS:IAM::111122223333:ROLE/DEV",
        "arn:aws:sts::111122223333:assumed-role/dev/alice",
        "arn:aws:sts:eu-west-1:111122223333:assumed-role/Dev/",
    ],
)
def test_given_two_mappings_of_one_principal_when_checked_then_each_names_the_other(spelt: str):
    found = check([mapping("b", spelt, CANONICAL), mapping("a", DEV, CANONICAL)])

    assert list(found.problems) == ["a", "b"]
    assert found.problems == {
        "a": "same ARN as mapping b; delete one of them",
        "b": "same ARN as mapping a; delete one of them",
    }


@pytest.mark.parametrize(
    ("partition", "option", "problems"),
    [
        ("aws", "aws", {}),
        ("aws-cn", "aws-cn", {}),
        # Their STS shares a domain, and the authenticator compares no more than that.
        ("aws-us-gov", "aws", {}),
        ("aws", "aws-us-gov", {}),
        (
            "aws-cn",
            "aws",
            {"dev": "no login has partition aws-cn, because the option partition is aws"},
        ),
        (
            "AWS",
            "aws-iso",
            {"dev": "no login has partition aws, because the option partition is aws-iso"},
        ),
    ],
)
def test_given_a_mapping_of_a_partition_when_checked_then_it_is_a_problem_if_none_logs_in_from_it(
    partition: str, option: str, problems: dict[str, str]
):
    dev = DEV.replace("arn:aws:", f"arn:{partition}:")
    canonical = dev.lower()

    assert check([mapping("dev", dev, canonical)], option) == Checked(problems, frozenset())


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"username": ""}, "the username is empty; set spec.username"),
        ({"groups": ("aws-iam:dev", "view")}, None),
        (
            {"groups": ("aws-iam:dev", "aws-iam:ops:x")},
            "group 'aws-iam:ops:x' is for the rights of mapping 'ops:x'; remove it",
        ),
        (
            {"expires": "tomorrow"},
            ("annotation aws-iam/expires: 'tomorrow' is not a time such as 2026-12-31T18:00:00Z"),
        ),
    ],
)
def test_given_a_mapping_that_lets_nobody_in_or_others_too_then_what_to_change_is_named(
    fields: dict[str, Any], problem: str | None
):
    found = check([dataclasses.replace(mapping("dev", DEV, CANONICAL), **fields)])

    assert found.problems.get("dev") == problem


@pytest.mark.parametrize(
    ("arn", "canonical"),
    [
        ("arn:aws:iam::111122223333:user/a!b/bob", "arn:aws:iam::111122223333:user/a!b/bob"),
        ("arn:aws:sts::111122223333:assumed-role/Dev/*", CANONICAL),
        ("ARN:AWS:IAM::111122223333:Role/Dev", CANONICAL),
    ],
)
def test_given_an_arn_that_the_authenticator_accepts_when_checked_then_it_keeps_what_that_writes(
    arn: str, canonical: str
):
    assert check([mapping("dev", arn, canonical)]) == NOTHING


@pytest.mark.parametrize(
    "arn", [PATHED, "arn:aws:iam::111122223333:root/", "arn:aws:iam:eu-west-1:1:role/Dev"]
)
def test_given_an_arn_that_never_matches_when_checked_then_it_is_a_problem(arn: str):
    assert "dev" in check([mapping("dev", arn, CANONICAL)]).problems


def test_given_two_mappings_without_a_valid_arn_when_checked_then_they_share_nothing():
    found = check([mapping("a", "?"), mapping("b", "?")])

    assert all("is not an ARN" in problem for problem in found.problems.values())

"""What makes an IAMIdentityMapping work, or never work."""

from __future__ import annotations

import dataclasses
from typing import Any

import hypothesis.strategies as st
import ops
import pytest
from hypothesis import given
from tests.fakes import damage
from tests.fakes.arns import CANONICAL, DEV, PATHED
from tests.fakes.declaring import HEALTHY, NAME, Declare, entry, stored
from tests.fakes.juju.model import Model
from tests.fakes.kubernetes.server import FakeCluster

from access.mapping import IdentityMapping
from access.problems import find
from owner import GRANT, OPTION
from text import status_line

NODE_NAME = "{{EC2PrivateDNSName}}"


def mapping(name: str, arn: str, canonical: str = "", username: str = "alice") -> IdentityMapping:
    return IdentityMapping(name, arn, username, canonical)


def test_given_two_mappings_of_one_principal_when_checked_then_each_names_the_other():
    found = find([mapping("b", DEV.upper(), CANONICAL), mapping("a", DEV, CANONICAL)])

    assert list(found) == ["a", "b"]
    assert found == {
        "a": "same ARN as mapping b; delete one of them",
        "b": "same ARN as mapping a; delete one of them",
    }


def test_given_a_mapping_of_another_partition_when_checked_then_it_is_a_problem():
    dev = mapping("dev", DEV.upper(), CANONICAL)

    assert find([dev], "aws-us-gov") == {}
    assert find([dev], "aws-iso") == {
        "dev": "no login has partition aws, because the option partition is aws-iso"
    }


NO_NODE = f"{NODE_NAME} is not supported; remove it"
SESSION = "arn:aws:sts::111122223333:assumed-role/dev/alice"
NO_TIME = "annotation aws-iam/expires: 'tomorrow' is not a time such as 2026-12-31T18:00:00Z"


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"arn": "?"}, "'?' is not an ARN such as arn:aws:iam::111122223333:role/admin"),
        ({"arn": PATHED}, f"no login has a role path; map {CANONICAL} instead"),
        ({"arn": SESSION}, f"admits its whole role; map {CANONICAL} instead"),
        ({"username": ""}, "the username is empty; set spec.username"),
        ({"username": NODE_NAME}, NO_NODE),
        ({"groups": (f"x:{NODE_NAME}",)}, NO_NODE),
        ({"groups": ("aws-iam:dev", "view")}, None),
        (
            {"groups": ("aws-iam:dev", "aws-iam:ops:x")},
            "group 'aws-iam:ops:x' is for the rights of mapping 'ops:x'; remove it",
        ),
        ({"expires": "tomorrow"}, NO_TIME),
    ],
)
def test_given_a_mapping_that_lets_nobody_in_or_others_too_then_what_to_change_is_named(
    fields: dict[str, Any], problem: str | None
):
    found = find([dataclasses.replace(mapping("dev", DEV, CANONICAL), **fields)])

    assert found.get("dev") == problem


# Mappings of others that have the ARN of a declared mapping.

SAID = (
    f"theirs: same ARN as declared mapping {NAME}; run: kubectl delete iamidentitymapping theirs"
)


def test_given_a_declared_mapping_when_somebody_maps_its_principal_too_then_it_stays_as_it_was(
    declare: Declare, deployed: Model, api: FakeCluster
):
    declare(entry("dev", groups=["view"]))
    before = str(stored(api, "dev"))
    api.add_mapping("theirs", DEV, CANONICAL)
    api.forget()

    status = deployed.hook()

    assert str(stored(api, "dev")) == before
    assert api.changes == []
    assert status == ops.ActiveStatus(f"{HEALTHY}, 2 mappings, 1 broken mapping: {SAID}")


def test_given_other_problems_when_there_is_a_duplicate_then_the_status_names_the_duplicate():
    mappings = [
        *(mapping(f"a{n}", f"not an ARN {n}") for n in range(9)),
        IdentityMapping(NAME, DEV, "dev", CANONICAL, source=OPTION),
        IdentityMapping("theirs", DEV, "x", CANONICAL, source=GRANT),
    ]

    report = find(mappings)

    name, problem = next(iter(report.items()))
    assert f"{name}: {problem}" == SAID
    assert NAME not in report
    # What has no principal shares none.
    assert all("is not an ARN" in problem for problem in list(report.values())[1:])


@given(st.lists(damage.text(DEV, (PATHED, CANONICAL)), min_size=1, max_size=4))
def test_given_any_arns_when_checked_then_what_is_wrong_with_each_is_one_line(arns: list[str]):
    found = find([mapping(f"m{n}", text, arns[0].lower()) for n, text in enumerate(arns)])

    for problem in found.values():
        assert status_line(problem).isprintable()

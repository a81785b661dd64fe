"""Which mapping was meant, of a principal that none lets in."""

from __future__ import annotations

import pytest
from tests.fakes.arns import ACCOUNT

from access import arn, explanation
from access.mapping import IdentityMapping

IAM = f"arn:aws:iam::{ACCOUNT}"
ROLE = f"{IAM}:role/dev"
SUFFIX = "0123456789abcdef"
SET_ROLE = f"{IAM}:role/AWSReservedSSO_DevOps_{SUFFIX}"
SHORT = "arn:aws:iam::11112222333:role/team/dev"
STALE = "its status does not say so yet, the leader's next hook corrects that"
OTHER_PATH = "the path differs, and the login of a user has it"
OTHER_SUFFIX = "the permission set was provisioned again, so its role has another suffix"


def mapping(spelt: str) -> IdentityMapping:
    return IdentityMapping("m", spelt, "u", "")


def miss(text: str, *found: IdentityMapping) -> str:
    return "\n".join(explanation.near_misses(arn.login(text), found))


@pytest.mark.parametrize(
    ("spelt", "wanted", "reason"),
    [
        (ROLE.upper(), ROLE, STALE),
        (f"{IAM}:role/team/Dev", ROLE, f"no login has a role path; map {IAM}:role/Dev instead"),
        (ROLE.replace("3333", "4444"), ROLE, "the account differs"),
        (ROLE.replace("aws", "aws-cn"), ROLE, "the partition differs"),
        (ROLE.replace("role", "user"), ROLE, "the kind differs"),
        (f"{IAM}:user/bob", f"{IAM}:user/team/bob", OTHER_PATH),
        (SET_ROLE, SET_ROLE.replace(SUFFIX, SUFFIX[::-1]), OTHER_SUFFIX),
        (SHORT, ROLE, f"'{SHORT}' has no account of 12 digits"),
    ],
)
def test_given_a_mapping_that_somebody_may_have_meant_when_it_misses_then_the_reason_is_said(
    spelt: str, wanted: str, reason: str
):
    assert miss(wanted, mapping(spelt)) == f"near miss: mapping m ({spelt}): {reason}"


STRANGERS = [
    *(f"{IAM}:role/ops", "arn:aws:iam::444455556666:role/ops", "nonsense"),
    *("arn:aws:iam::444455556666:user/dev", f"{IAM}:role/AWSReservedSSO_dev_{SUFFIX}"),
]


@pytest.mark.parametrize("spelt", STRANGERS)
def test_given_a_mapping_of_somebody_else_when_looked_for_then_it_is_no_near_miss(spelt: str):
    assert miss(ROLE, mapping(spelt)) == ""


def test_given_several_near_misses_when_looked_for_then_each_is_named():
    spelt = [ROLE.replace("role", "user"), ROLE.replace("3333", "4444")]

    reasons = [line.rpartition(": ")[2] for line in miss(ROLE, *map(mapping, spelt)).splitlines()]

    assert reasons == ["the kind differs", "the account differs"]

"""The chain from an ARN to a mapping, or to the mapping that was meant."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.fakes import arns
from tests.fakes.arns import ACCOUNT

from access import arn, matching, subjects
from access.mapping import IdentityMapping

IAM = f"arn:aws:iam::{ACCOUNT}"
ROLE = f"{IAM}:role/dev"
SUFFIX = "0123456789abcdef"
SET_ROLE = f"{IAM}:role/AWSReservedSSO_DevOps_{SUFFIX}"
SHORT = "arn:aws:iam::11112222333:role/team/dev"
STALE = "its status does not say so yet, the leader's next hook corrects that"
OTHER_PATH = "the path differs, and the login of a user has it"
OTHER_SUFFIX = "the permission set was provisioned again, so its role has another suffix"


def mapping(spelt: str, canonical: str = "", username: str = "u", *groups: str) -> IdentityMapping:
    return IdentityMapping("m", spelt, username, canonical, groups)


def miss(text: str, *found: IdentityMapping) -> str:
    return "\n".join(matching.near_misses(matching.login(arn.parse(text)), found))


@pytest.mark.parametrize(
    ("text", "looked_up"),
    [
        (f"{IAM}:role/team/Dev", ROLE),
        (f"arn:aws:sts::{ACCOUNT}:assumed-role/Dev/alice@example.com", ROLE),
        (f"{IAM}:user/team/Bob", f"{IAM}:user/team/bob"),
    ],
)
def test_given_a_principal_when_it_logs_in_then_it_is_looked_up_as_the_authenticator_does(
    text: str, looked_up: str
):
    assert str(matching.login(arn.parse(text))) == looked_up


@given(arns.LOGINS)
def test_given_what_sts_answers_when_looked_up_then_it_is_what_a_mapping_of_it_gets(text: str):
    try:
        principal = arn.parse(text)
    except ValueError:
        return
    if principal.kind != "assumed-role" or principal.name.count("/") == 1:
        assert str(matching.login(principal)) == arn.canonicalize(text)


def test_given_mappings_when_matched_then_only_their_status_counts_and_they_come_by_name():
    by_status = [IdentityMapping(name, "stale", "u", ROLE) for name in ("b", "c", "a")]
    by_spec = mapping(ROLE, f"{ROLE}2")

    matched = matching.matching(arn.parse(ROLE), [by_spec, *by_status])

    assert [each.name for each in matched] == ["a", "b", "c"]


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


@pytest.mark.parametrize(
    ("text", "username", "filled"),
    [
        (ROLE, "{{AccountID}}-dev", f"{ACCOUNT}-dev"),
        (ROLE, "dev:{{SessionName}}", "dev:{{SessionName}}"),
        (f"arn:aws:sts::{ACCOUNT}:assumed-role/dev/a@b", "{{SessionName}}", "a-b"),
        (f"arn:aws:sts::{ACCOUNT}:assumed-role/dev/a@b", "{{AccessKeyID}}", "{{AccessKeyID}}"),
        (ROLE, "{{sessionname}}", "{{sessionname}}"),
    ],
)
def test_given_fields_in_a_mapping_when_a_principal_logs_in_then_the_known_ones_are_filled_in(
    text: str, username: str, filled: str
):
    who = matching.identity(mapping(ROLE, ROLE, username, username), arn.parse(text))

    assert who == matching.Identity(filled, (filled,))
    assert who.is_open == ("{{S" in filled or "{{Acc" in filled)


@given(st.text("a{}:", max_size=5), st.text("b:", max_size=3), st.text("b@+=", max_size=5))
def test_given_a_username_that_a_login_fills_in_when_it_has_then_it_can_become_that(
    begin: str, end: str, session: str
):
    text = begin + "{{SessionNameRaw}}" + end

    assert (begin + session + end).startswith(subjects.beginning(text))
    assert subjects.can_become(text, begin + session + end)
    assert not subjects.can_become(text, f"{begin}x:y{end}")

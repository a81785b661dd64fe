"""Permission sets of IAM Identity Center, and which role is theirs."""

from __future__ import annotations

import dataclasses
import datetime
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from access import arn
from access.mapping import IdentityMapping
from access.permission_sets import PermissionSet, learn, of_role
from access.refusals import Line

ACCOUNT = "111122223333"
DEVOPS = PermissionSet("DevOps", ACCOUNT)
NOW = datetime.datetime(2026, 11, 26, 8, tzinfo=datetime.timezone.utc)
OLD, NEW = "1a2b3c4d5e6f7081", "9182736455463728"

NAMES = st.text("abcXYZ019+=,.@_-", min_size=1, max_size=32)
ACCOUNTS = st.text("0123456789", min_size=12, max_size=12)
SUFFIXES = st.text("0123456789abcdef", min_size=16, max_size=16)
SETS = st.builds(PermissionSet, NAMES, ACCOUNTS)


def role(suffix: str, name: str = "DevOps", account: str = ACCOUNT, partition: str = "aws") -> str:
    return f"arn:{partition}:iam::{account}:role/AWSReservedSSO_{name}_{suffix}"


def login(arn: str, minute: int = 0) -> Line:
    """A login that AWS has confirmed."""
    time = NOW.replace(minute=minute)
    return Line(time, "info", "/authenticate", "10.1.0.1:38652", "access granted", arn=arn)


def mapping(arn: str, source: str = "option") -> IdentityMapping:
    return IdentityMapping("devops", arn, "devops", arn.lower(), (), source)


# Reading.


NO_NAME = "{!r} is not the name of a permission set (1 to 32 letters, digits or _+=,.@-)"
NO_ACCOUNT = "{!r} is not an account of 12 digits"
NO_SUFFIX = "{!r} is not a suffix of 16 digits or letters a to f"


@pytest.mark.parametrize(
    ("name", "account", "suffix", "problem"),
    [
        *(
            (name, ACCOUNT, "", NO_NAME.format(name))
            for name in ("", "x" * 33, "Dev Ops", "DevOps\n", "D\u00e9vOps")
        ),
        *(("DevOps", n, "", NO_ACCOUNT.format(n)) for n in ("11112222333", "\u0661" * 12)),
        *(("DevOps", ACCOUNT, s, NO_SUFFIX.format(s)) for s in (OLD[1:], OLD.upper(), f"{OLD}\n")),
    ],
)
def test_given_a_part_that_is_malformed_then_the_error_names_it(
    name: str, account: str, suffix: str, problem: str
) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(problem)}$"):
        PermissionSet(name, account, suffix)


# Matching.


@given(SETS, SUFFIXES, st.sampled_from(arn.PARTITIONS))
def test_given_a_sets_role_in_any_partition_then_it_is_known_as_that_set(
    wanted: PermissionSet, suffix: str, partition: str
) -> None:
    pinned = dataclasses.replace(wanted, suffix=suffix)
    found = pinned.role_arn(partition)

    assert found == role(suffix, wanted.name, wanted.account, partition)
    assert of_role(found) == pinned


LOOK_ALIKES = {
    "a set whose name begins alike": role(OLD, name="DevOps_Admin"),
    "a set in another case": role(OLD, name="devops"),
    "another account": role(OLD, account="444455556666"),
    "15 digits": role(OLD[:-1]),
    "capital digits": role(OLD.upper()),
    "digits that are no hexadecimal ones": role("g" * 16),
    "two suffixes": role(f"{OLD}_{NEW}"),
    "a path": role(OLD).replace("role/", "role/aws-reserved/sso.amazonaws.com/"),
    "a name after the role": f"{role(OLD)}/x",
    "a line after it": f"{role(OLD)}\n",
    "another prefix": role(OLD).replace("AWSReservedSSO_", "AWSReservedSSO__"),
    "a user": role(OLD).replace("role/", "user/"),
    "a session": role(OLD).replace(":iam:", ":sts:").replace("role/", "assumed-role/") + "/x",
    "a region": role(OLD).replace(":iam::", ":iam:eu-west-1:"),
    # STS of both has the same domain, so the authenticator accepts both.
    "another partition whose logins are accepted": role(OLD, partition="aws-us-gov"),
    "an unknown partition": role(OLD).replace("arn:aws:", "arn:aws-mars:"),
    "Arabic digits": role("\u0661" * 16),
    "a Kelvin sign for a K": role(OLD, name="DevOp\u212a"),
}


@pytest.mark.parametrize("found", LOOK_ALIKES.values(), ids=LOOK_ALIKES)
def test_given_a_look_alike_then_nothing_is_learned_from_it(found: str):
    assert learn([DEVOPS], [login(found)], [mapping(found)], "aws") == {}


# Learning.

MADE_UP = role("f" * 16)
# Roles whose login was refused, the mappings, by who made each, and the role that is learned.
LEARNED: dict[str, tuple[list[str], dict[str, str], str]] = {
    "a refused role": ([role(OLD)], {}, role(OLD)),
    "the newest of several": ([role(OLD), role(NEW)], {}, role(NEW)),
    "what the option mapped": ([], {role(OLD): "option"}, role(OLD)),
    "what the option mapped, whoever comes": ([role(NEW)], {role(OLD): "option"}, role(OLD)),
    "what a grant mapped": ([], {role(OLD): "grant"}, role(OLD)),
    "what a grant mapped, whoever comes": ([role(NEW)], {role(OLD): "grant"}, role(OLD)),
    "the option's before a grant's": ([], {role(NEW): "option", role(OLD): "grant"}, role(NEW)),
    "the option's before a person's": ([], {role(NEW): "option", role(OLD): ""}, role(NEW)),
    "nothing that a person alone says": ([], {role(OLD): ""}, ""),
    "a person's, once it was refused": ([role(OLD)], {role(OLD): ""}, role(OLD)),
    "a refused one beside one made up": ([role(NEW)], {MADE_UP: ""}, role(NEW)),
}


@pytest.mark.parametrize("order", [1, -1])
@pytest.mark.parametrize(("seen", "mapped", "found"), LEARNED.values(), ids=LEARNED)
def test_given_logins_and_mappings_then_one_role_is_the_sets(
    seen: list[str], mapped: dict[str, str], found: str, order: int
) -> None:
    logins = [login(arn, minute) for minute, arn in enumerate(seen)][::order]
    mappings = [mapping(arn, source) for arn, source in mapped.items()][::order]

    assert learn([DEVOPS], logins, mappings, "aws") == ({DEVOPS: found} if found else {})


def test_given_another_partition_or_a_suffix_then_these_decide() -> None:
    found = role(OLD, partition="aws-us-gov")
    assert learn([DEVOPS], [login(found)], [], "aws-us-gov") == {DEVOPS: found}
    pinned = PermissionSet("DevOps", ACCOUNT, OLD)
    assert learn([pinned], [login(role(NEW))], [], "aws") == {}


def test_given_several_sets_then_each_learns_its_own() -> None:
    admin = PermissionSet("DevOps_Admin", ACCOUNT)
    elsewhere = PermissionSet("DevOps", "555566667777")
    refused = [
        login(role(OLD)),
        login(role(NEW, name="DevOps_Admin")),
        login(role(NEW, account="555566667777")),
    ]
    assert learn([DEVOPS, admin, elsewhere], refused, [], "aws") == {
        DEVOPS: role(OLD),
        admin: role(NEW, name="DevOps_Admin"),
        elsewhere: role(NEW, account="555566667777"),
    }

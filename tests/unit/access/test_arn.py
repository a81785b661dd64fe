"""IAM principals by their ARN."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.fakes.arns import ACCOUNT, LOGINS, TEXTS

from access import arn
from access.partitions import PARTITIONS

IAM, STS = (f"arn:aws:{service}::{ACCOUNT}" for service in ("iam", "sts"))
CHINA = f"arn:aws-cn:sts::{ACCOUNT}"
REGIONAL = f"arn:aws:iam:eu-west-1:{ACCOUNT}:role/dev"
NO_PATH = f"no login has a role path; map {IAM}:role/Dev instead"
NO_NAME = "has no valid role name"
NO_SERVICE = "must start with arn:aws:iam:: or arn:aws:sts::"
NO_ACCOUNT = "has no account of 12 digits"
# What a person writes, and what the authenticator writes into the mapping's status.
ACCEPTED = [
    (f"{IAM}:user/Team/Knobby", f"{IAM}:user/team/knobby"),
    (f"{IAM}:user/a!b/Bob", f"{IAM}:user/a!b/bob"),
    (f"{IAM}:user/a:b/bob", f"{IAM}:user/a:b/bob"),
    (f"{IAM}:role/Admin", f"{IAM}:role/admin"),
    (f"ARN:AWS:IAM::{ACCOUNT}:ROLE/ADMIN", f"{IAM}:role/admin"),
    (f"{IAM}:root", f"{IAM}:root"),
    (f"{STS}:assumed-role/View/al", f"{IAM}:role/view"),
    (f"{STS}:assumed-role/Admin/", f"{IAM}:role/admin"),
    (f"{STS}:assumed-role/dev/a:b", f"{IAM}:role/dev"),
    (f"arn:aws:sts:eu-west-1:{ACCOUNT}:assumed-role/dev/a", f"{IAM}:role/dev"),
    (f"{CHINA}:federated-user/Bo", f"{CHINA}:federated-user/bo"),
    # Go's lower case makes ASCII letters of the Kelvin sign and of an I with a dot.
    (f"arn:aws:\u0130am::{ACCOUNT}:user/\u212anobby", f"{IAM}:user/knobby"),
]
# The same, where no login matches it all the same: why not.
USELESS = [
    (f"{IAM}:role/Team/Dev", f"{IAM}:role/team/dev", NO_PATH),
    (f"{STS}:assumed-role/Org/Team/Dev/Al", f"{IAM}:role/org/team/dev", NO_PATH.lower()),
    (REGIONAL, REGIONAL, NO_SERVICE),
    ("arn:aws:iam::1:root", "arn:aws:iam::1:root", NO_ACCOUNT),
    (f"{IAM}:root/", f"{IAM}:root/", "has no valid root name"),
    (f"{IAM}:role", f"{IAM}:role", NO_NAME),
    (f"{IAM}:role/a/", f"{IAM}:role/a/", NO_NAME),
    (f"{IAM}:role/*", f"{IAM}:role/*", NO_NAME),
    # Go's lower case of a Greek S is one for all places in a word.
    (f"{IAM}:role/ΑΣ", f"{IAM}:role/ασ", NO_NAME),
    (f"{STS}:assumed-role//alice", f"{IAM}:role/", NO_NAME),
    (f"{STS}:federated-user/a/b", f"{STS}:federated-user/a/b", "has no valid federated-user name"),
]
# What the authenticator refuses.
REFUSED = [
    "",
    f" {IAM}:root",
    f"arn:aws:iam:{ACCOUNT}:root",
    f"arn:amazon:iam::{ACCOUNT}:root",
    f"arn:aws:s3::{ACCOUNT}:root",
    f"{IAM}:root:a",
    f"{IAM}:/role/dev",
    f"{IAM}:assumed-role/dev/alice",
    f"{STS}:role/dev",
    f"{STS}:assumed-role/dev",
]


@pytest.mark.parametrize(("text", "canonical"), ACCEPTED)
def test_given_an_arn_that_logins_match_then_it_is_canonical_as_the_authenticator_makes_it(
    text: str, canonical: str
):
    assert arn.canonicalize(text) == arn.canonical_or_empty(text) == canonical
    assert arn.mismatch(text) is None


@pytest.mark.parametrize(("text", "canonical", "reason"), USELESS)
def test_given_an_arn_that_no_login_matches_then_its_canonical_form_is_kept_and_the_reason_given(
    text: str, canonical: str, reason: str
):
    assert arn.canonicalize(text) == canonical
    assert arn.mismatch(text) in (reason, f"{canonical!r} {reason}")


@pytest.mark.parametrize("text", REFUSED)
def test_given_an_arn_that_the_authenticator_refuses_then_it_has_no_canonical_form(text: str):
    with pytest.raises(ValueError, match=re.escape(repr(text))) as refused:
        arn.canonicalize(text)

    assert arn.mismatch(text) == str(refused.value)
    assert arn.canonical_or_empty(text) == ""


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("knobby", "is not an ARN such as arn:aws:iam::111122223333:role/admin"),
        (f"ARN:aws:iam::{ACCOUNT}:root", "is not an ARN"),
        (f"{IAM}:role/a:b", NO_NAME),
        (f"arn:amazon:iam::{ACCOUNT}:root", f"has no known partition ({', '.join(PARTITIONS)})"),
        (f"arn:aws:s3::{ACCOUNT}:root", NO_SERVICE),
        ("arn:aws:iam::1111222233334:root", NO_ACCOUNT),
        ("arn:aws:iam::١١١١٢٢٢٢٣٣٣٣:root", NO_ACCOUNT),
        (f"{IAM}:group/admins", "must name one of: user, role, root"),
        (f"{STS}:role/admin", "must name one of: assumed-role, federated-user"),
        (f"{IAM}:role//a", NO_NAME),
        (f"{IAM}:role/a b", NO_NAME),
        (f"{IAM}:role/a\n", NO_NAME),
        (f"{STS}:assumed-role/a", "names no role; map the role itself"),
        (f"{STS}:assumed-role/a/", "has no valid assumed-role name"),
        (f"{STS}:assumed-role/a!/b", "has no valid assumed-role name"),
        (f"{STS}:assumed-role/é/b", "has no valid assumed-role name"),
        (f"{STS}:federated-user/é", "has no valid federated-user name"),
        (f"{IAM}:user/a b/c", "has no valid user name"),
        (f"{IAM}:user/é/c", "has no valid user name"),
    ],
)
def test_given_no_arn_of_a_principal_then_the_wrong_part_is_named(text: str, reason: str):
    with pytest.raises(ValueError, match=re.escape(f"{text!r} {reason}")):
        arn.parse(text)


@given(LOGINS)
def test_given_any_arn_when_parsed_and_written_then_it_is_the_same(text: str):
    assert str(arn.parse(text)) == text


@given(TEXTS)
def test_given_any_text_when_made_canonical_twice_then_once_was_enough(text: str):
    canonical = arn.canonical_or_empty(text)

    assert arn.canonical_or_empty(canonical) == canonical == canonical.lower()


@given(st.text())
def test_given_any_text_when_parsed_then_nothing_but_a_value_error_comes(text: str):
    try:
        parsed = str(arn.parse(text))
    except ValueError as error:
        parsed, line = text, str(error)
    else:
        line = ""

    assert parsed == text
    assert line.isprintable()
    assert (arn.mismatch(text) or "").isprintable()


@pytest.mark.parametrize(
    ("text", "looked_up"),
    [
        (f"{IAM}:role/team/Dev", f"{IAM}:role/dev"),
        (f"{STS}:assumed-role/Dev/alice@example.com", f"{IAM}:role/dev"),
        (f"{IAM}:user/team/Bob", f"{IAM}:user/team/bob"),
        ("nonsense", ""),
    ],
)
def test_given_a_principal_when_it_logs_in_then_it_is_looked_up_as_the_authenticator_does(
    text: str, looked_up: str
):
    assert arn.looked_up(text) == looked_up


@given(LOGINS)
def test_given_what_sts_answers_when_looked_up_then_it_is_what_a_mapping_of_it_gets(text: str):
    principal = arn.parse(text)
    if principal.kind != "assumed-role" or principal.name.count("/") == 1:
        assert arn.looked_up(text) == arn.canonicalize(text)


def test_given_no_role_with_a_path_then_its_arn_stays_as_it_is():
    for text in (
        f"{STS}:assumed-role/Dev/al",
        f"{IAM}:role/Dev",
        f"{IAM}:user/a/Bob",
        "no/at all",
    ):
        assert arn.without_path(text) == text

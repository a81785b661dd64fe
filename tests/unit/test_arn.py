"""IAM principals by their ARN."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from access import arn

ACCOUNT = "111122223333"

_NAMES = st.text("abcXYZ019+=,.@_-", min_size=1, max_size=64)
_PATHS = st.lists(_NAMES, min_size=1, max_size=4).map("/".join)
_RESOURCES = st.one_of(
    st.tuples(st.just("iam"), st.just("root")),
    st.tuples(st.just("iam"), _PATHS.map(lambda path: f"user/{path}")),
    st.tuples(st.just("iam"), _PATHS.map(lambda path: f"role/{path}")),
    st.tuples(
        st.just("sts"), st.tuples(_PATHS, _NAMES).map(lambda n: f"assumed-role/{n[0]}/{n[1]}")
    ),
    st.tuples(st.just("sts"), _NAMES.map(lambda name: f"federated-user/{name}")),
)
ARNS = st.builds(
    lambda partition, account, resource: f"arn:{partition}:{resource[0]}::{account}:{resource[1]}",
    st.sampled_from(arn.PARTITIONS),
    st.from_regex(r"[0-9]{12}", fullmatch=True).filter(str.isascii),
    _RESOURCES,
)


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("arn:aws:iam::111122223333:user/knobby", "arn:aws:iam::111122223333:user/knobby"),
        (
            "arn:aws:iam::111122223333:user/Team/Knobby",
            "arn:aws:iam::111122223333:user/team/knobby",
        ),
        ("arn:aws:iam::111122223333:role/Admin", "arn:aws:iam::111122223333:role/admin"),
        ("arn:aws:iam::111122223333:role/team/dev", "arn:aws:iam::111122223333:role/team/dev"),
        ("arn:aws:iam::111122223333:root", "arn:aws:iam::111122223333:root"),
        (
            "arn:aws:sts::111122223333:assumed-role/K8s-View/alice@example.com",
            "arn:aws:iam::111122223333:role/k8s-view",
        ),
        (
            "arn:aws:sts::111122223333:assumed-role/Team/Dev/alice",
            "arn:aws:iam::111122223333:role/team/dev",
        ),
        (
            "arn:aws-cn:sts::111122223333:federated-user/Bob",
            "arn:aws-cn:sts::111122223333:federated-user/bob",
        ),
    ],
)
def test_given_an_arn_when_made_canonical_then_it_is_as_the_authenticator_looks_it_up(
    text: str, canonical: str
):
    assert arn.parse(text).canonical == canonical


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "is not an ARN such as arn:aws:iam::111122223333:role/admin"),
        ("knobby", "is not an ARN such as arn:aws:iam::111122223333:role/admin"),
        (f"ARN:aws:iam::{ACCOUNT}:root", "is not an ARN"),
        (f"arn:aws:iam::{ACCOUNT}:role/a:b", "is not an ARN"),
        (
            f"arn:amazon:iam::{ACCOUNT}:root",
            (
                "has no known partition (aws, aws-cn, aws-us-gov, aws-iso, aws-iso-b, aws-iso-e, "
                "aws-iso-f, aws-eusc)"
            ),
        ),
        (f"arn:aws:s3::{ACCOUNT}:root", "must start with arn:aws:iam:: or arn:aws:sts::"),
        (f"arn:aws:iam:eu-west-1:{ACCOUNT}:root", "must start with arn:aws:iam::"),
        ("arn:aws:iam::11112222333:root", "has no account of 12 digits"),
        ("arn:aws:iam::1111222233334:root", "has no account of 12 digits"),
        ("arn:aws:iam::١١١١٢٢٢٢٣٣٣٣:root", "has no account of 12 digits"),
        (f"arn:aws:iam::{ACCOUNT}:group/admins", "must name one of: user, role, root"),
        (f"arn:aws:sts::{ACCOUNT}:role/admin", "must name one of: assumed-role, federated-user"),
        (f"arn:aws:iam::{ACCOUNT}:assumed-role/a/b", "must name one of: user, role, root"),
        (f"arn:aws:iam::{ACCOUNT}:root/a", "has no valid root name"),
        (f"arn:aws:iam::{ACCOUNT}:role", "has no valid role name"),
        (f"arn:aws:iam::{ACCOUNT}:role/", "has no valid role name"),
        (f"arn:aws:iam::{ACCOUNT}:role/a/", "has no valid role name"),
        (f"arn:aws:iam::{ACCOUNT}:role//a", "has no valid role name"),
        (f"arn:aws:iam::{ACCOUNT}:role/a b", "has no valid role name"),
        (f"arn:aws:iam::{ACCOUNT}:role/é", "has no valid role name"),
        (f"arn:aws:iam::{ACCOUNT}:role/a\n", "has no valid role name"),
        (f"arn:aws:iam::{ACCOUNT}:user/*", "has no valid user name"),
        (f"arn:aws:sts::{ACCOUNT}:assumed-role/a", "has no session after the role"),
    ],
)
def test_given_no_arn_of_a_principal_when_parsed_then_the_wrong_part_is_named(
    text: str, reason: str
):
    with pytest.raises(ValueError, match=re.escape(f"{text!r} {reason}")):
        arn.parse(text)


@given(ARNS)
def test_given_any_arn_when_parsed_and_written_then_it_is_the_same(text: str):
    assert str(arn.parse(text)) == text


@given(ARNS)
def test_given_any_arn_when_made_canonical_twice_then_once_was_enough(text: str):
    canonical = arn.parse(text).canonical

    assert arn.parse(canonical).canonical == canonical
    assert canonical == canonical.lower()


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


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        (f"arn:aws:iam::{ACCOUNT}:role/Dev", None),
        (f"arn:aws:iam::{ACCOUNT}:role/team/a/Dev", f"arn:aws:iam::{ACCOUNT}:role/Dev"),
        (f"arn:aws:sts::{ACCOUNT}:assumed-role/dev/alice", None),
        (f"arn:aws:sts::{ACCOUNT}:assumed-role/a/dev/alice", f"arn:aws:iam::{ACCOUNT}:role/dev"),
        (f"arn:aws:iam::{ACCOUNT}:user/team/dev", None),
        (f"arn:aws:iam::{ACCOUNT}:root", None),
    ],
)
def test_given_a_role_with_a_path_when_asked_then_the_role_that_logins_have_is_named(
    text: str, plain: str | None
):
    found = arn.parse(text).login_role

    assert (str(found) if found else None) == plain

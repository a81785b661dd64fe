"""Users and groups that the charm maps nobody to."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from access import arn, subjects

NODE_NAME = "{{EC2PrivateDNSName}}"
REFUSED: dict[str, tuple[str, list[str], str]] = {
    "Kubernetes": ("system:admin", [], "username begins with system:, which is reserved"),
    "any name": ("a", ["system:{{SessionName}}"], "a session called masters would be an admin"),
    "rights": (
        "a",
        ["view", "aws-iam:dev"],
        "is reserved: aws-iam: is for the rights of mappings",
    ),
    "rights of any": ("a", ["aws-{{SessionName}}:dev"], "aws-{{SessionName}}:dev' is reserved"),
    "node": ("a", [f"x:{NODE_NAME}"], f"group has {NODE_NAME}, which no login gets here"),
    "a typo": ("dev:{{Sessionname}}", [], "{{…}} that no login fills in: the fields are {{Acc"),
    "an open field": ("dev", ["x:{{SessionName"], "{{…}} that no login fills in"),
    "other letters": ("a\u017f", [], "has a character that is not printable ASCII"),
    "lines": ("a", ["view\nedit"], "has a character that is not printable ASCII"),
}


@pytest.mark.parametrize(("username", "groups", "said"), REFUSED.values(), ids=REFUSED)
def test_given_a_reserved_name_then_it_is_refused(username: str, groups: list[str], said: str):
    with pytest.raises(ValueError, match=r"^(username|group) ") as error:
        subjects.check(username, groups)
    assert said in str(error.value)


@pytest.mark.parametrize(
    ("username", "groups"),
    [
        ("alice", ["system:masters", "view"]),
        ("aws:alice", []),
        ("{{SessionName}}", ["dev:{{SessionName}}"]),
        ("alice", ["{{AccountID}}:dev", "{{SessionName}}", "aws-iam", "x-aws-iam:dev"]),
        ("arn:aws:sts::111122223333:assumed-role/Dev/{{SessionName}}", []),
    ],
)
def test_given_a_name_that_people_use_then_it_is_accepted(username: str, groups: list[str]):
    subjects.check(username, groups)


@pytest.mark.parametrize(
    ("text", "name", "can"),
    [
        ("view", "view", True),
        ("view", "edit", False),
        ("{{SessionName}}", "system:masters", False),
        ("system:{{SessionName}}", "system:masters", True),
        ("a:{{SessionName}}", "a:b:c", False),
        ("dev-{{SessionName}}", "dev-", True),
        ("dev-{{SessionName}}", "ops-a", False),
        ("{{SessionName}}-dev", "a-ops", False),
        ("aa{{SessionName}}aa", "aaa", False),
        ("aa{{SessionName}}aa", "aaaa", True),
        ("{{AccountID}}-{{SessionName}}", "1a", False),
        ("{{AccountID}}x{{SessionName}}y{{SessionName}}", "xy", True),
        ("{{AccountID}}x{{SessionName}}y{{SessionName}}", "axbyc", True),
        ("{{AccountID}}x{{SessionName}}y{{SessionName}}", "axyx", True),
        ("{{AccountID}}x{{SessionName}}y{{SessionName}}", "ayxb", False),
        ("{{AccountID}}xx{{SessionName}}x{{SessionName}}", "xx", False),
        ("{{AccountID}}ab{{SessionName}}b", "ab", False),
        ("x{{AccountID}}x{{SessionName}}", "x", False),
    ],
)
def test_given_a_text_with_fields_then_it_becomes_what_has_its_parts_in_their_order(
    text: str, name: str, can: bool
):
    assert subjects.can_become(text, name) == can


@pytest.mark.parametrize(
    ("text", "is_open", "beginning"),
    [
        ("{{view}}", False, "{{view}}"),
        ("dev:{{AccountID}}:{{SessionNameRaw}}", True, "dev:"),
        ("{{EC2PrivateDNSName}}", True, ""),
    ],
)
def test_given_a_text_then_its_fields_are_open_and_what_is_before_them_is_not(
    text: str, is_open: bool, beginning: str
):
    assert subjects.is_open(text) == is_open
    assert subjects.beginning(text) == beginning


@pytest.mark.parametrize(
    ("login", "session"),
    [
        ("iam::111122223333:role/team/dev", {}),
        (
            "sts::111122223333:assumed-role/dev/sam@a.b",
            {"{{SessionName}}": "sam-a.b", "{{SessionNameRaw}}": "sam@a.b"},
        ),
        ("iam::111122223333:user/team/sam", {"{{SessionName}}": "", "{{SessionNameRaw}}": ""}),
    ],
)
def test_given_a_principal_then_what_is_known_of_its_login_fills_the_fields(
    login: str, session: dict[str, str]
):
    known = subjects.known(arn.parse(f"arn:aws:{login}"))

    assert known == {"{{AccountID}}": "111122223333", **session}


@pytest.mark.parametrize(
    ("group", "may"),
    [
        ("aws-iam:dev", True),
        ("aws-iam", False),
        ("{{SessionName}}:dev", True),
        ("{{AccountID}}:dev", False),
        ("x:aws-iam:dev", False),
    ],
)
def test_given_a_group_then_it_is_a_mappings_own_if_a_login_can_make_it_begin_so(
    group: str, may: bool
):
    assert subjects.may_be_own(group) == may


@given(st.text("a{}:", max_size=5), st.text("b:", max_size=3), st.text("b@+=", max_size=5))
def test_given_a_username_that_a_login_fills_in_when_it_has_then_it_can_become_that(
    begin: str, end: str, session: str
):
    text = begin + "{{SessionNameRaw}}" + end

    assert (begin + session + end).startswith(subjects.beginning(text))
    assert subjects.can_become(text, begin + session + end)
    assert not subjects.can_become(text, f"{begin}x:y{end}")

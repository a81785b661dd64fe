"""Which mappings an operator may grant and revoke, by what is there and what is declared."""

from __future__ import annotations

import dataclasses
import re
from datetime import datetime, timezone
from typing import Any

import pytest
from tests.fakes.declaring import ACCOUNT, DEV

from access import grants
from access.declaration import declared
from access.desired import Access
from access.grants import Grant
from access.mapping import IdentityMapping, Right, RoleBinding, binding_of
from errors import Blocked
from owner import GRANT, OPTION

NOW = datetime(2026, 11, 26, 12, tzinfo=timezone.utc)
OPS = f"{ACCOUNT}:role/Ops"
DEV_CANONICAL = DEV.lower()
SUFFIX = "0123456789abcdef"
SET_ROLE = f"{ACCOUNT}:role/AWSReservedSSO_DevOps_{SUFFIX}"
DECLARED_SET = "[{permission-set: DevOps, account: '111122223333'}]"
EMPTY = ("groups", "role", "namespaces", "for", "reason")
PARAMS = {**dict.fromkeys(EMPTY, ""), "arn": DEV, "username": "alice"}
NAME = "dev-f98916774b"


def mapping(name: str, arn: str, source: str = "") -> IdentityMapping:
    return IdentityMapping(name, arn, name, arn.lower(), source=source)


def wanted(**params: Any) -> Grant:
    return grants.read({**PARAMS, **params}, "aws", NOW)


def replaced(found: list[IdentityMapping], grant: Grant, option: str = "") -> str | None:
    """The name of the grant that is replaced."""
    former = grants.former(found, grant, declared.parse(option, NOW), "iam")
    return former and former.name


def revoked(found: list[IdentityMapping], option: str = "", arn: str = DEV) -> list[str]:
    gone = grants.to_revoke(found, arn, declared.parse(option, NOW), "iam")
    return [each.name for each in gone]


# What is asked for.


GRANTED = IdentityMapping(NAME, DEV, "alice", DEV_CANONICAL, (), GRANT)


@pytest.mark.parametrize(
    ("params", "grant"),
    [
        ({}, Grant(GRANTED, (), "")),
        (
            {
                "arn": f"{ACCOUNT}:role/team/Dev",
                "username": " bob ",
                "groups": " view,, dev ,view",
                "role": " edit ",
                "namespaces": " shop, ,blue ",
                "for": "4h",
            },
            Grant(
                dataclasses.replace(
                    GRANTED,
                    username="bob",
                    groups=("view", "dev"),
                    expires="2026-11-26T16:00:00Z",
                ),
                rights=(Right("edit", namespaces=("shop", "blue"), place="role"),),
                remark=f"no login has a role path, so it is for {DEV}",
            ),
        ),
        ({"role": "view"}, Grant(GRANTED, (Right("view", place="role"),), "")),
    ],
    ids=["little", "much", "a role everywhere"],
)
def test_given_parameters_then_the_grant_is_as_they_say(params: dict[str, str], grant: Grant):
    assert wanted(**params) == grant


ONE_SESSION = f"names one session: give the ARN of its role, {DEV.lower()}"
SESSIONS = [
    f"arn:aws:sts:{region}:111122223333:assumed-role/Dev/{name}"
    for region, name in (("", "alice"), ("eu-west-1", "*"), ("", "\u00e9lise"))
]
NO_ARN = "is not an ARN such as arn:aws:iam::111122223333:role/admin"
NO_CHINA = "no login has partition aws-cn, because the option partition is aws"
USERNAME = "the Kubernetes user that the principal becomes"


def test_given_a_reason_then_it_is_written_down_on_one_line():
    assert wanted(reason=" for  the\nmove ").mapping.reason == "for the move"
    assert wanted(reason="x" * 200).mapping.reason == "x" * 200


@pytest.mark.parametrize(
    ("params", "problem"),
    [
        ({"reason": "x" * 201}, "reason is too long, give 200 characters at most"),
        ({"username": " "}, f"username is empty, give {USERNAME}"),
        ({"namespaces": "shop"}, "namespaces goes with role"),
        ({"role": "a/" * 30}, f"role '{'a/' * 20}' is not a ClusterRole's name"),
        ({"arn": "nonsense"}, f"'nonsense' {NO_ARN}"),
        ({"arn": DEV.replace("aws:", "aws-cn:", 1)}, NO_CHINA),
        *(({"arn": session}, f"'{session}' {ONE_SESSION}") for session in SESSIONS),
    ],
)
def test_given_a_parameter_that_is_wrong_then_it_is_named_with_what_to_give(
    params: dict[str, str], problem: str
):
    with pytest.raises(ValueError, match=f"^{re.escape(problem)}$"):
        wanted(**params)


# What is there.


def test_given_mappings_then_only_the_principals_own_grant_is_replaced():
    assert replaced([mapping("ops", OPS), mapping(NAME, OPS, GRANT)], wanted()) is None
    assert replaced([mapping("ops", OPS, GRANT), mapping(NAME, DEV, GRANT)], wanted()) == NAME


@pytest.mark.parametrize(("name", "source"), [("theirs", ""), ("theirs", GRANT), (NAME, "")])
def test_given_a_mapping_in_the_way_then_nothing_is_granted(name: str, source: str):
    problem = (
        f"mapping {name} maps {DEV} already, and is not a grant: delete it, or let it end: "
        f"kubectl annotate iamidentitymapping {name} aws-iam/expires=<time>"
    )
    with pytest.raises(Blocked, match=f"^{re.escape(problem)}$"):
        replaced([mapping(name, DEV, source)], wanted())


@pytest.mark.parametrize(
    ("arn", "source", "option", "principal", "place"),
    [
        (DEV, "", f"[{{arn: '{DEV}'}}]", DEV, "mappings[0]"),
        (DEV, GRANT, f"[{{arn: '{OPS}'}}, {{arn: '{DEV}'}}]", DEV, "mappings[1]"),
        (DEV, OPTION, f"[{{arn: '{DEV}'}}]", DEV, "mappings[0]"),
        (SET_ROLE, "", DECLARED_SET, "DevOps@111122223333", "mappings[0]"),
        (SET_ROLE.lower(), OPTION, DECLARED_SET, "DevOps@111122223333", "mappings[0]"),
    ],
)
def test_given_a_principal_that_the_option_declares_then_nothing_is_granted_or_revoked(
    arn: str, source: str, option: str, principal: str, place: str
):
    change = "change its entry there, then run: juju config iam mappings=@<file>"
    problem = re.escape(f"the option mappings declares {principal} ({place}): {change}")
    for found in ([], [mapping(NAME, arn, source)]):
        with pytest.raises(Blocked, match=f"^{problem}$"):
            replaced(found, wanted(arn=arn), option)
        with pytest.raises(Blocked, match=f"^{problem}$"):
            revoked(found, option, arn)


def test_given_an_option_with_a_fault_then_only_what_it_made_or_declares_is_refused():
    for option in ("unreadable", f"[{{arn: '{DEV}'}}, {{arn: x}}]"):
        with pytest.raises(Blocked, match="the option mappings declares"):
            replaced([mapping(NAME, DEV, OPTION)], wanted(), option)
        with pytest.raises(Blocked, match="the option mappings declares"):
            revoked([mapping(NAME, DEV, OPTION)], option)
        assert revoked([mapping("ops", OPS)], option, OPS) == ["ops"]
    assert replaced([mapping("ops", OPS, OPTION)], wanted(), "unreadable") is None


# The access to have then.


def bound(name: str, role: str = "view", namespace: str = "") -> RoleBinding:
    return binding_of(name, role, namespace, GRANT)


OTHERS = Access((mapping("ops", OPS, GRANT),), (bound("ops"),))
OWN_GROUP = f"aws-iam:{NAME}"
# A grant of the principal, spelt as somebody did then.
FORMER = IdentityMapping(
    NAME, DEV.upper(), "al", DEV_CANONICAL, ("team", OWN_GROUP), GRANT, "2026-11-27T00:00:00Z"
)


def test_given_a_first_grant_with_a_role_then_its_own_group_has_the_role():
    grant = wanted(groups="team", role="view", namespaces="shop,blue")

    assert grants.wanted(OTHERS, grant, None) == Access(
        (*OTHERS.mappings, dataclasses.replace(GRANTED, groups=("team", OWN_GROUP))),
        (*OTHERS.bindings, bound(NAME, "view", "shop"), bound(NAME, "view", "blue")),
    )


def test_given_another_grant_when_little_is_said_then_nothing_but_the_spelling_stays():
    found = Access((FORMER, *OTHERS.mappings), (bound(NAME), *OTHERS.bindings))

    assert grants.wanted(found, wanted(), FORMER) == Access(
        (*OTHERS.mappings, dataclasses.replace(GRANTED, arn=DEV.upper())), OTHERS.bindings
    )


# What is revoked.


def test_given_a_principal_then_all_its_mappings_are_revoked_by_name():
    found = [mapping("b", DEV), mapping("ops", OPS), mapping("a", DEV, GRANT)]

    assert revoked(found) == revoked(found, arn=f"{ACCOUNT}:role/team/Dev") == ["a", "b"]


def test_given_a_mapping_then_its_arn_and_not_its_status_names_the_principal():
    found = [dataclasses.replace(mapping("a", OPS), canonical=DEV_CANONICAL)]

    assert (revoked(found), revoked(found, arn=OPS)) == ([], ["a"])


def test_given_an_entry_of_somebody_else_then_it_keeps_nothing_from_being_revoked():
    option = f"[{{arn: '{OPS}'}}, {{permission-set: DevOps, account: '111122223333'}}]"

    # The option made it, and does not declare it any more.
    assert revoked([mapping("a", DEV, OPTION)], option) == ["a"]
    abroad = SET_ROLE.replace("aws:", "aws-cn:", 1)
    assert revoked([mapping("a", abroad)], option, abroad) == ["a"]

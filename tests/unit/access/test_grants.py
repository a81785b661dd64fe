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
from access.declaration.declared import Declared
from access.declaration.entry import is_object_name
from access.desired import Access
from access.grants import Grant, Target
from access.mapping import IdentityMapping
from access.permission_sets import PermissionSet
from access.rights import Right, RoleBinding, binding
from errors import Blocked
from labels import GRANT, OPTION

NOW = datetime(2026, 11, 26, 12, tzinfo=timezone.utc)
OPS = f"{ACCOUNT}:role/Ops"
DEV_CANONICAL = DEV.lower()
SUFFIX = "0123456789abcdef"
SET_ROLE = f"{ACCOUNT}:role/AWSReservedSSO_DevOps_{SUFFIX}"
DECLARED_SET = "[{permission-set: DevOps, account: '111122223333', name: set}]"
EMPTY = ("permission-set", "suffix", "name", "groups", "role", "namespaces", "for")
PARAMS = {**dict.fromkeys(EMPTY, ""), "arn": DEV, "username": "alice", "reason": ""}


def mapping(name: str, arn: str, source: str = "", canonical: str = "") -> IdentityMapping:
    return IdentityMapping(name, arn, name, canonical or arn.lower(), source=source)


def parsed(option: str | None) -> Declared:
    """What the option declares. None cannot be read."""
    return Declared(error="unreadable") if option is None else declared.parse(option, NOW)


def wanted(**params: Any) -> Grant:
    given = {**PARAMS, **params}
    return grants.read(given, given["arn"], "aws", NOW)


def replaced(found: list[IdentityMapping], grant: Grant, option: str | None = "") -> str | None:
    """The name of the grant that is replaced."""
    former = grants.to_replace(found, grant, parsed(option).known, "aws-iam", "aws")
    return former and former.name


def revoked(found: list[IdentityMapping], target: Target, option: str | None = "") -> list[str]:
    gone = grants.to_revoke(found, target, parsed(option), "aws-iam", "aws")
    return [each.name for each in gone]


def declares(principal: str, place: str) -> str:
    """The pattern of what refuses to change what the option has."""
    change = "change its entry there, then run: juju config aws-iam mappings=@<file>"
    return f"^{re.escape(f'the option mappings declares {principal} ({place}): {change}')}$"


# What is asked for.


@pytest.mark.parametrize(
    ("params", "found"),
    [
        ({}, None),
        (
            {"arn": "", "permission-set": "DevOps@111122223333"},
            PermissionSet("DevOps", "111122223333"),
        ),
        (
            {"arn": "", "permission-set": "DevOps@111122223333", "suffix": SUFFIX},
            PermissionSet("DevOps", "111122223333", SUFFIX),
        ),
    ],
)
def test_given_parameters_then_the_permission_set_in_place_of_an_arn_is_read(
    params: dict[str, str], found: PermissionSet | None
):
    assert grants.permission_set({**PARAMS, **params}) == found


GRANTED = IdentityMapping("grant-dev-f9891677", DEV, "alice", DEV_CANONICAL, (), GRANT)


@pytest.mark.parametrize(
    ("params", "grant"),
    [
        ({}, Grant(GRANTED, named=False, remark="")),
        (
            {
                "arn": f"{ACCOUNT}:role/team/Dev",
                "name": "guest",
                "username": " bob ",
                "groups": " view,, dev ,view",
                "role": " edit ",
                "namespaces": " shop, ,blue ",
                "for": "4h",
            },
            Grant(
                dataclasses.replace(
                    GRANTED,
                    name="guest",
                    username="bob",
                    groups=("view", "dev"),
                    expires="2026-11-26T16:00:00Z",
                ),
                named=True,
                remark=f"no login has a role path, so it is for {DEV}",
                rights=(Right("edit", "ClusterRole", ("shop", "blue"), "role"),),
            ),
        ),
        ({"role": "view"}, Grant(GRANTED, False, "", (Right("view", place="role"),))),
    ],
    ids=["little", "much", "a role everywhere"],
)
def test_given_parameters_then_the_grant_is_as_they_say(params: dict[str, str], grant: Grant):
    assert wanted(**params) == grant


ONE_SESSION = f"names one session, and a grant admits all of its role: give {DEV.lower()}"


@pytest.mark.parametrize(
    ("given", "written"), [(" for  the\nmove ", "for the move"), ("x" * 200, "x" * 200)]
)
def test_given_a_reason_then_it_is_written_down_on_one_line(given: str, written: str):
    assert wanted(reason=given).mapping.reason == written


@pytest.mark.parametrize(
    ("params", "problem"),
    [
        ({"reason": "x" * 201}, "reason is too long, give 200 characters at most"),
        (
            {"username": " "},
            "username is empty, give the Kubernetes user that the principal becomes",
        ),
        ({"name": "No" * 30}, f"name '{'No' * 20}' must be small letters, digits, '-' and '.'"),
        ({"namespaces": "shop"}, "namespaces goes with role"),
        ({"role": "a/" * 30}, f"role '{'a/' * 20}' is not a ClusterRole's name"),
        (
            {"arn": "nonsense"},
            "'nonsense' is not an ARN such as arn:aws:iam::111122223333:role/admin",
        ),
        (
            {"arn": DEV.replace("aws:", "aws-cn:", 1)},
            "no login has partition aws-cn, because the option partition is aws",
        ),
        *(
            (
                {"arn": f"arn:aws:sts:{region}:111122223333:assumed-role/Dev/{session}"},
                f"'arn:aws:sts:{region}:111122223333:assumed-role/Dev/{session}' {ONE_SESSION}",
            )
            for region, session in (("", "alice"), ("eu-west-1", "*"), ("", "\u00e9lise"))
        ),
    ],
)
def test_given_a_parameter_that_is_wrong_then_it_is_named_with_what_to_give(
    params: dict[str, str], problem: str
):
    with pytest.raises(ValueError, match=f"^{re.escape(problem)}$"):
        wanted(**params)


@pytest.mark.parametrize(
    "params",
    [
        {"arn": ""},
        {"permission-set": "DevOps@111122223333"},
        {"arn": "", "permission-set": "DevOps"},
        {"suffix": SUFFIX},
    ],
)
def test_given_neither_an_arn_nor_a_whole_permission_set_then_it_is_refused(
    params: dict[str, str],
):
    problem = "give either arn, or permission-set as NAME@ACCOUNT (and suffix, if known)"
    with pytest.raises(ValueError, match=f"^{re.escape(problem)}$"):
        grants.permission_set({**PARAMS, **params})


@pytest.mark.parametrize(
    ("arn", "name"),
    [
        (f"{ACCOUNT}:root", "grant-arn-aws-iam-111122223333-root-3d077c12"),
        (f"{ACCOUNT}:user/{'a' * 64}", f"grant-{'a' * 60}-52271705"),
    ],
)
def test_given_any_principal_then_its_grant_has_a_name_that_kubernetes_takes(arn: str, name: str):
    assert wanted(arn=arn).mapping.name == name
    assert is_object_name(name)


@pytest.mark.parametrize(
    ("params", "target"),
    [
        (
            {"arn": f"{ACCOUNT}:role/team/Dev", "name": ""},
            Target("", frozenset({DEV_CANONICAL, f"{ACCOUNT}:role/team/dev"})),
        ),
        ({"arn": "", "name": "dev"}, Target("dev")),
    ],
)
def test_given_an_arn_or_a_name_then_that_is_to_be_revoked(params: dict[str, str], target: Target):
    assert grants.target(params) == target


@pytest.mark.parametrize(
    ("arn", "name", "problem"),
    [
        ("", "", "give either arn or name"),
        (DEV, "dev", "give either arn or name"),
        ("", "a/status", "name 'a/status' must be small letters, digits, '-' and '.'"),
        ("dev", "", "'dev' is not an ARN such as arn:aws:iam::111122223333:role/admin"),
    ],
)
def test_given_both_or_neither_or_a_malformed_one_then_nothing_is_to_be_revoked(
    arn: str, name: str, problem: str
):
    with pytest.raises(ValueError, match=f"^{re.escape(problem)}$"):
        grants.target({"arn": arn, "name": name})


# What is there.


def test_given_no_mapping_of_the_principal_then_a_grant_replaces_none():
    assert replaced([mapping("ops", OPS), mapping("other", OPS, GRANT)], wanted()) is None


def test_given_a_grant_of_the_principal_then_it_is_replaced():
    found = [mapping("ops", OPS, GRANT), mapping("mine", DEV, GRANT)]

    assert replaced(found, wanted()) == "mine"
    assert replaced(found, wanted(name="mine")) == "mine"


REFUSED = (
    "mapping theirs has an ARN that no login has, 'role/dev'; run: "
    "juju run aws-iam/leader revoke-access name=theirs"
)
THEIRS = (
    f"mapping theirs maps {DEV} already, and is not a grant: delete it, or let it end: "
    "kubectl annotate iamidentitymapping theirs aws-iam/expires=<time>"
)


@pytest.mark.parametrize(
    ("there", "name", "reason"),
    [
        (mapping("mine", DEV, GRANT), "yours", "its grant is named mine: give that name, or none"),
        (mapping("theirs", DEV), "", THEIRS),
        # The authenticator refuses this ARN, and keeps the former one.
        (mapping("theirs", "role/dev", "", DEV_CANONICAL), "", REFUSED),
        (mapping("taken", OPS), "taken", f"mapping taken maps {OPS}: give another name"),
    ],
)
def test_given_a_mapping_in_the_way_then_nothing_is_granted(
    there: IdentityMapping, name: str, reason: str
):
    with pytest.raises(Blocked) as refused:
        replaced([there], wanted(name=name))

    assert str(refused.value) == reason


@pytest.mark.parametrize(
    ("found", "arn", "option", "place"),
    [
        ([], DEV, f"[{{arn: '{DEV}'}}]", "mappings[0]"),
        ([], SET_ROLE.lower(), DECLARED_SET, "mappings[0]"),
        (
            [mapping("mine", DEV, GRANT)],
            DEV,
            f"[{{arn: '{OPS}'}}, {{arn: '{DEV}'}}]",
            "mappings[1]",
        ),
    ],
)
def test_given_a_principal_that_the_option_declares_then_nothing_is_granted(
    found: list[IdentityMapping], arn: str, option: str, place: str
):
    with pytest.raises(Blocked, match=declares(arn, place)):
        replaced(found, wanted(arn=arn), option)


def test_given_an_option_that_cannot_be_read_then_only_what_it_made_is_refused():
    with pytest.raises(Blocked, match=declares(DEV, "mapping theirs")):
        replaced([mapping("theirs", DEV, OPTION)], wanted(), None)
    assert replaced([mapping("ops", OPS, OPTION)], wanted(), None) is None
    assert revoked([mapping("a", DEV)], Target("a"), None) == ["a"]


# The access to have then.


def bound(name: str, role: str = "view", source: str = GRANT) -> RoleBinding:
    return binding(name, "ClusterRole", role, "", source)


def grouped(granted: IdentityMapping, *groups: str, **fields: str) -> IdentityMapping:
    return dataclasses.replace(granted, groups=groups, **fields)


OTHERS = Access((mapping("ops", OPS, GRANT),), (bound("ops"),))
# A grant of the principal, spelt and named as somebody did then.
FORMER = IdentityMapping("mine", DEV.upper(), "al", DEV_CANONICAL, ("team", "aws-iam:mine"), GRANT)
LATER, NOW_TEXT = "2026-11-27T00:00:00Z", "2026-11-26T12:00:00Z"


def test_given_a_first_grant_without_a_role_then_its_mapping_comes_to_the_others():
    assert grants.wanted(OTHERS, wanted(), None, NOW) == Access(
        (*OTHERS.mappings, GRANTED), OTHERS.bindings
    )


def test_given_a_first_grant_with_a_role_then_its_own_group_has_the_role():
    grant = wanted(name="dev", groups="team", role="view", namespaces="shop,blue")

    assert grants.wanted(OTHERS, grant, None, NOW) == Access(
        (*OTHERS.mappings, grouped(GRANTED, "team", "aws-iam:dev", name="dev")),
        (
            *OTHERS.bindings,
            *(binding("dev", "ClusterRole", "view", place, GRANT) for place in ("shop", "blue")),
        ),
    )


def test_given_a_grant_that_lasts_when_little_is_said_then_the_rest_stays():
    former = dataclasses.replace(FORMER, expires=LATER)
    edited = dataclasses.replace(bound("mine", "edit"), role="admin")
    found = Access(
        (former, *OTHERS.mappings),
        (bound("mine"), edited, bound("mine", "edit", OPTION), *OTHERS.bindings),
    )

    assert grants.wanted(found, wanted(), former, NOW) == Access(
        (*OTHERS.mappings, dataclasses.replace(former, username="alice")),
        (*OTHERS.bindings, bound("mine")),
    )


def test_given_a_grant_that_lasts_when_all_is_said_then_nothing_of_before_stays():
    former = dataclasses.replace(FORMER, expires=LATER)
    found = Access((former,), (bound("mine"),))
    grant = wanted(groups="view", role="edit", **{"for": "1h"})

    assert grants.wanted(found, grant, former, NOW) == Access(
        (
            grouped(
                former, "view", "aws-iam:mine", username="alice", expires="2026-11-26T13:00:00Z"
            ),
        ),
        (bound("mine", "edit"),),
    )


def test_given_a_grant_that_has_just_ended_then_only_its_name_and_its_spelling_stay():
    former = dataclasses.replace(FORMER, expires=NOW_TEXT)
    found = Access((former,), (bound("mine"),))

    assert grants.wanted(found, wanted(), former, NOW) == Access(
        (grouped(former, username="alice", expires=""),)
    )


# What is revoked.


def test_given_a_principal_then_all_its_mappings_are_revoked_by_name():
    found = [mapping("b", DEV), mapping("ops", OPS), mapping("a", DEV, GRANT)]

    assert revoked(found, grants.target({"arn": DEV, "name": ""})) == ["a", "b"]


@pytest.mark.parametrize(
    ("there", "names_it"),
    [
        (mapping("a", DEV, canonical=OPS.lower()), True),
        (mapping("a", OPS, canonical=DEV_CANONICAL), False),
        # The authenticator refuses this ARN, and keeps the former one.
        (mapping("a", "role/dev", canonical=DEV_CANONICAL), True),
    ],
)
def test_given_a_mapping_then_its_arn_or_else_its_status_names_the_principal(
    there: IdentityMapping, names_it: bool
):
    target = grants.target({"arn": DEV, "name": ""})

    assert revoked([there], target) == (["a"] if names_it else [])


def test_given_a_name_then_that_mapping_is_revoked():
    found = [mapping("b", DEV), mapping("a", DEV), mapping("", DEV)]

    assert revoked(found, Target("a")) == ["a"]


@pytest.mark.parametrize(
    ("found", "target", "option", "principal"),
    [
        ([mapping("a", DEV, OPTION)], Target("a"), f"[{{arn: '{DEV}'}}]", DEV),
        # Not applied, so there is no mapping of it.
        ([], Target("a"), f"[{{arn: '{DEV}', name: a}}]", DEV),
        ([], Target("", frozenset({DEV_CANONICAL})), f"[{{arn: '{DEV}'}}]", DEV),
        ([], Target("set"), DECLARED_SET, "DevOps@111122223333"),
        ([mapping("a", SET_ROLE, OPTION)], Target("a"), DECLARED_SET, SET_ROLE),
    ],
)
def test_given_what_the_option_declares_then_nothing_is_revoked(
    found: list[IdentityMapping], target: Target, option: str, principal: str
):
    with pytest.raises(Blocked, match=declares(principal, "mappings[0]")):
        revoked(found, target, option)


def test_given_a_grant_beside_a_declared_entry_when_it_is_named_then_it_is_revoked():
    found = [mapping("a", DEV, GRANT), mapping("dev", DEV, OPTION)]

    assert revoked(found, Target("a"), f"[{{arn: '{DEV}', name: dev}}]") == ["a"]


def test_given_an_entry_of_somebody_else_then_it_keeps_nothing_from_being_revoked():
    option = f"[{{arn: '{OPS}', name: b}}, {{permission-set: DevOps, account: '111122223333'}}]"

    # The option made it, and does not declare it any more.
    assert revoked([mapping("a", DEV, OPTION)], Target("a"), option) == ["a"]
    abroad = SET_ROLE.replace("aws:", "aws-cn:", 1)
    assert revoked([mapping("a", abroad)], Target("a"), option) == ["a"]
    assert revoked([mapping("a", DEV)], Target("", frozenset({DEV_CANONICAL})), option) == ["a"]

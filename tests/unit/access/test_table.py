"""The table of all mappings: what each row says, and what is cut."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import pytest

from access import rbac
from access import table as listing
from access.mapping import IdentityMapping
from access.table import Row
from owner import OPTION

ROLE = "arn:aws:iam::111122223333:role"


def mapping(name: str, username: str = "alice", *groups: str, **more: Any) -> IdentityMapping:
    return IdentityMapping(name, f"{ROLE}/Dev", username, f"{ROLE}/dev", groups, **more)


def bound(role: str, namespace: str = "", **subjects: Any) -> rbac.Binding:
    return rbac.Binding("b", namespace, "ClusterRole", role, **subjects)


def given(found: IdentityMapping, *bindings: rbac.Binding) -> list[str]:
    return listing.given(found, rbac.Bindings(bindings))


# What a row says.

OF_SET = f"{ROLE}/AWSReservedSSO_DevOps_0123456789abcdef"
EXPIRES = "2026-12-31T18:00:00Z"
SSO = dataclasses.replace(
    mapping("sso", "{{SessionName}}", "ops", "system:masters", source=OPTION),
    arn=OF_SET,
    expires=EXPIRES,
)
WHOLE = Row(
    name="sso",
    arn=OF_SET,
    username="{{SessionName}}",
    groups=("ops", "system:masters"),
    source="option",
    permission_set="DevOps@111122223333",
    expires=EXPIRES,
    roles=(
        "everything (system:masters)",
        *("ClusterRole/edit as bob", "ClusterRole/view", "ClusterRole/view in team"),
    ),
    problem="same ARN as dev",
)
BARE = Row(
    *("dev", f"{ROLE}/Dev", "alice", (), "kubectl", "", ""),
    roles=(),
    problem="",
)


def test_given_mappings_then_each_row_says_who_becomes_whom_and_what_that_gives():
    found = [
        bound("edit", users=("bob",)),
        bound("view", groups=("ops", "system:masters")),
        bound("view", "team", groups=("ops",)),
        bound("basic", groups=("system:authenticated",)),
    ]
    others = dataclasses.replace(mapping("dev"), arn=f"{ROLE}/Other")

    rows = listing.rows([SSO, others], {"sso": "same ARN as dev"}, rbac.Bindings(found))

    assert rows == [WHOLE, dataclasses.replace(BARE, arn=f"{ROLE}/Other")]


@pytest.mark.parametrize(
    ("username", "subject", "roles"),
    [
        ("dev:{{SessionName}}", "dev:bob-x", ["ClusterRole/view as dev:bob-x"]),
        ("dev:{{SessionName}}", "ops:bob", []),
        ("{{AccountID}}:dev", "111122223333:dev", ["ClusterRole/view"]),
        ("{{accountid}}", "{{accountid}}", ["ClusterRole/view"]),
    ],
)
def test_given_a_name_that_a_login_fills_in_then_the_names_it_can_become_count(
    username: str, subject: str, roles: list[str]
):
    assert given(mapping("dev", username), bound("view", users=(subject,))) == roles
    assert given(mapping("dev", "alice", username), bound("view", groups=(subject,))) == roles


def test_given_a_mapping_that_nobody_logs_in_by_then_its_fields_are_anybodys():
    found = dataclasses.replace(mapping("dev", "{{AccountID}}:dev"), arn="dev")
    everything = bound("root", users=("1:dev",), everything=True)

    roles = given(found, bound("u", users=("1:dev",)), everything)

    assert roles == ["everything (ClusterRole/root as 1:dev)", "ClusterRole/u as 1:dev"]


@pytest.mark.parametrize(
    ("groups", "binding", "roles"),
    [
        (["system:masters"], bound("view"), ["everything (system:masters)"]),
        ([], bound("all", users=("alice",), everything=True), ["everything (ClusterRole/all)"]),
        (
            ["ops"],
            bound("all", groups=("ops",), everything=True),
            ["everything (ClusterRole/all)"],
        ),
        ([], bound("all", users=("bob",), everything=True), []),
        (
            [],
            bound("all", "kube-system", users=("alice",), everything=True),
            ["ClusterRole/all in kube-system"],
        ),
    ],
    ids=["group", "role", "role-by-group", "of-another", "in-a-namespace"],
)
def test_given_a_group_or_a_role_that_may_do_everything_then_the_list_says_everything(
    groups: list[str], binding: rbac.Binding, roles: list[str]
):
    assert given(mapping("dev", "alice", *groups), binding) == roles


# The table.

SHORT = dataclasses.replace(BARE, arn="arn:x", username="al")
LONG = Row(
    *("bob", "y", "u", ("g", "h"), "option", "", "2027"),
    roles=("everything (system:masters)", "r", "s"),
    problem="wrong",
)


def test_given_rows_then_each_has_a_line_and_columns_without_a_value_are_left_out():
    roles = "everything (system:masters),r,s"
    more = "EXPIRES", f"{'ROLES':31}", "PROBLEM"
    none = "-      ", f"{'-':31}", "-"
    long = "2027   ", roles, "wrong"
    assert listing.table([SHORT, LONG], 9_000)[0].splitlines() == [
        "  ".join(["NAME  ARN    USERNAME  GROUPS  SOURCE ", *more]),
        "  ".join(["dev   arn:x  al        -       kubectl", *none]),
        "  ".join(["bob   y      u         g,h     option ", *long]),
    ]
    assert listing.table([SHORT], 9_000)[0].splitlines() == [
        "NAME  ARN    USERNAME  GROUPS  SOURCE   ROLES",
        "dev   arn:x  al        -       kubectl  -",
    ]
    of_set = dataclasses.replace(SHORT, permission_set="DevOps@1")
    shown = listing.table([of_set], 9_000)[0].splitlines()[1]
    assert shown == "dev   arn:x  al        -       kubectl (DevOps@1)  -"
    assert listing.table([], 9_000) == ("NAME  ARN  USERNAME  GROUPS  SOURCE  ROLES", 0)


def test_given_a_wide_cell_then_only_its_own_line_is_longer_and_a_very_wide_one_is_cut():
    wide = dataclasses.replace(SHORT, username="u" * 71, arn="x" * 2_001)

    header, short, long = listing.table([SHORT, wide], 9_000)[0].splitlines()

    assert header == f"NAME  {'ARN':70}  {'USERNAME':70}  GROUPS  SOURCE   ROLES"
    assert short == f"dev   {'arn:x':70}  {'al':70}  -       kubectl  -"
    assert long == f"dev   {'x' * 1_997}…  {'u' * 71}  -       kubectl  -"


@pytest.mark.parametrize("form", [listing.table, listing.jsons])
def test_given_a_limit_then_the_first_rows_that_fit_are_there_and_the_others_are_counted(
    form: Any,
):
    accented = dataclasses.replace(SHORT, username="\u00e9")
    both, _ = form([SHORT, accented], 9_000)
    one, _ = form([SHORT], 9_000)
    size = len(both.encode())

    assert form([SHORT, accented], size) == (both, 0)
    assert form([SHORT, accented], size - 1)[1] == 1
    assert form([SHORT, SHORT, SHORT], len(one)) == (one, 2)


def test_given_a_mapping_of_many_and_long_names_then_its_row_leaves_room_for_others():
    long = ["\U00010000" * 300] * 900
    found = dataclasses.replace(mapping("a", long[0] * 100, *long, expires=long[0]), arn=long[0])
    bindings = [bound(f"{n}{'x' * 400}", users=(found.username,)) for n in range(450)]

    rows = listing.rows([found, mapping("b")], {}, rbac.Bindings(bindings))

    assert (len(rows[0].groups), rows[0].groups[-1]) == (21, "and 880 more")
    assert (len(rows[0].roles), rows[0].roles[-1]) == (21, "and 430 more")
    assert listing.jsons(rows, 100_000)[1] == listing.table(rows, 100_000)[1] == 0


def test_given_a_row_as_json_then_it_is_whole():
    text, _ = listing.jsons([LONG], 9_000)

    assert json.loads(text) == [json.loads(json.dumps(dataclasses.asdict(LONG)))]
    assert " " not in text.replace("everything (system:masters)", "")

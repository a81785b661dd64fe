"""One entry of the option `mappings` for a role, or a permission set, of many accounts."""

from __future__ import annotations

import json
from datetime import datetime, timezone
from typing import Any

import pytest
from tests.fakes.declaring import fault

from access.declaration import declared
from access.declaration.declared import Declared
from access.permission_sets import PermissionSet

NOW = datetime(2026, 11, 26, tzinfo=timezone.utc)
ONE, TWO = "111122223333", "012345678901"
ROLE = {"role": "k8s-admin", "accounts": [ONE, TWO]}


def parse(*entries: dict[str, Any], partition: str = "aws") -> Declared:
    return declared.parse(json.dumps(entries), NOW, partition)


def test_given_a_role_of_accounts_when_it_is_read_then_each_account_has_an_entry_and_a_place():
    found = parse({"role": "before", "account": ONE}, ROLE).entries

    assert [(each.place, each.arn) for each in found] == [
        ("mappings[0]", f"arn:aws:iam::{ONE}:role/before"),
        ("mappings[1].accounts[0]", f"arn:aws:iam::{ONE}:role/k8s-admin"),
        ("mappings[1].accounts[1]", f"arn:aws:iam::{TWO}:role/k8s-admin"),
    ]


def test_given_an_arn_of_the_same_role_when_it_is_written_out_then_its_mapping_keeps_its_name():
    arn = {"arn": f"arn:aws:iam::{ONE}:role/k8s-admin"}

    assert parse(ROLE).entries[0].name == parse(arn).entries[0].name


def test_given_the_other_keys_when_it_is_read_then_they_count_for_each_account():
    keys = {
        "username": "dev:{{SessionName}}",
        "groups": ["dev"],
        "expires": "2027-01-01T00:00:00Z",
    }

    for each in parse({**ROLE, **keys}).entries:
        assert (each.username, each.groups) == ("dev:{{SessionName}}", ("dev",))
        assert each.expires == "2027-01-01T00:00:00Z"


@pytest.mark.parametrize("many", [[ONE], [ONE, TWO]])
def test_given_a_name_when_it_is_read_then_each_mapping_has_it_with_its_account(many: list[str]):
    found = parse({**ROLE, "accounts": many, "name": "admins"}).entries

    assert [each.name for each in found] == [f"admins-{account}" for account in many]


def test_given_a_permission_set_of_accounts_when_it_is_read_then_each_account_has_it():
    found = parse({"permission-set": "DevOps", "accounts": [ONE, TWO]}).entries

    assert [each.permission_set for each in found] == [
        PermissionSet("DevOps", ONE),
        PermissionSet("DevOps", TWO),
    ]


def test_given_another_partition_when_a_role_is_read_then_its_arn_is_of_that_one():
    (found,) = parse({"role": "dev", "account": ONE}, partition="aws-cn").entries

    assert found.arn == f"arn:aws-cn:iam::{ONE}:role/dev"


def test_given_an_empty_list_when_it_is_read_then_nobody_is_mapped_and_that_is_said():
    found = parse({"role": "dev", "accounts": []})

    assert found.entries == ()
    assert [(each.place, each.reason) for each in found.left_out] == [
        ("mappings[0].accounts", "it is empty, so it maps nobody")
    ]


@pytest.mark.parametrize(
    ("keys", "reason"),
    [
        ({"accounts": [f"{ONE}\n"]}, ".accounts[0]: '111122223333\\n' is not an account"),
        ({"accounts": ["\u0661" * 12]}, ".accounts[0]: "),
        ({"accounts": [None]}, ".accounts[0]: it is not an account of 12 digits"),
        ({"accounts": ONE}, ": accounts is not a list"),
        ({"account": ONE, "accounts": [TWO]}, ": it has account and accounts, keep one of them"),
        ({}, ": role needs account or accounts"),
        ({"role": "a/team/dev", "account": ONE}, ": role 'a/team/dev' has a path, write 'dev'"),
        ({"role": "*", "account": ONE}, "has no valid role name"),
        ({"role": f"arn:aws:iam::{ONE}:role/dev", "account": ONE}, ": role is an ARN, write arn"),
        ({"role": ["dev"], "account": ONE}, ": role is not a text"),
        ({"arn": f"arn:aws:iam::{ONE}:role/dev"}, ": it has an arn and a role, keep one"),
        ({"permission-set": "A", "account": ONE}, ": it has a role and a permission-set, keep"),
        ({"account": ONE, "suffix": "0123456789abcdef"}, ": suffix goes with permission-set"),
    ],
)
def test_given_a_role_that_is_wrong_when_it_is_read_then_its_place_and_the_reason_are_named(
    keys: dict[str, Any], reason: str
):
    said = fault(parse({"role": "dev", **keys}))

    assert said.startswith("mappings[0]")
    assert reason in said


def test_given_accounts_for_something_else_when_they_are_read_then_that_is_refused():
    arn = {"arn": f"arn:aws:iam::{ONE}:role/dev", "accounts": [ONE]}
    suffix = {"permission-set": "A", "accounts": [ONE], "suffix": "0123456789abcdef"}

    assert fault(parse(arn)) == "mappings[0]: accounts goes with role or permission-set"
    assert (
        fault(parse(suffix)) == "mappings[0]: suffix goes with account, each account has its own"
    )


def test_given_a_short_text_that_means_too_many_mappings_when_it_is_read_then_it_is_refused():
    ids = ",".join(f"{number:012}" for number in range(1_000))
    first = f"- {{role: r0, accounts: &a [{ids}]}}\n"
    others = "".join(f"- {{role: r{number}, accounts: *a}}\n" for number in range(1, 100))

    with pytest.raises(ValueError, match=r"^mappings\[50\].accounts\[0\] exceeds 50,000 mappings"):
        declared.parse(first + others, NOW)


def test_given_one_account_that_is_wrong_when_it_is_read_then_the_others_count():
    found = parse({"role": "dev", "accounts": [ONE, "1234", TWO, ONE]})

    assert [each.place for each in found.entries] == [
        "mappings[0].accounts[2]",
        "mappings[0].accounts[3]",
    ]
    assert fault(found) == "mappings[0].accounts[1]: '1234' is not an account of 12 digits"
    assert [(each.place, each.reason) for each in found.left_out] == [
        ("mappings[0].accounts[0]", "mappings[0].accounts[3] has the same principal, and counts")
    ]


def test_given_unknown_policies_for_many_accounts_when_it_is_read_then_each_is_named_once():
    policies = [{"policy": f"P{number}"} for number in range(3)]

    found = parse({**ROLE, "access": policies})

    assert len(found.entries) == 2
    assert [each.place for each in found.left_out] == [
        f"mappings[0].access[{number}]" for number in range(3)
    ]

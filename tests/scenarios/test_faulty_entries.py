"""An entry with a fault: its principal keeps what it has, nobody else does, and it is named."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.fakes.declaring import ACCOUNT, DEV, NAME, Declare, entry, name_of, names, stored
from tests.fakes.juju.model import Model
from tests.fakes.kubernetes.server import FakeCluster

MASTERS = ["system:masters"]
OPS = f"{ACCOUNT}:role/Ops"
# A group that is no name.
FAULT: dict[str, Any] = {"groups": [""]}
BOB = entry("bob", f"{ACCOUNT}:user/bob", groups=MASTERS)
SET = {"permission-set": "Admin", "account": "111122223333", "username": "admin"}


def groups(api: FakeCluster, name: str) -> list[str]:
    return stored(api, name)["spec"]["groups"]


def set_option(deployed: Model, value: object) -> str:
    """The unit's status with this option."""
    deployed.config = {"mappings": json.dumps(value)}
    return deployed.hook(deployed.on.config_changed()).message


@pytest.mark.parametrize(
    ("shadowed", "counting"),
    [
        (entry("dev", groups=MASTERS), entry("dev", groups=["view"])),
        ({**SET, "groups": MASTERS, "suffix": "0123456789abcdef"},) * 2,
    ],
    ids=["an ARN", "a set"],
)
def test_given_a_row_that_another_shadows_when_that_gets_a_fault_then_nobody_gets_more(
    declare: Declare, api: FakeCluster, shadowed: dict[str, Any], counting: dict[str, Any]
):
    counting = {**counting, "groups": ["view"]}
    declare(shadowed, counting)
    (name,) = names(api)

    status = declare(shadowed, {**counting, **FAULT})

    assert names(api) == [name]
    assert groups(api, name) == ["view"]
    assert "1 not applied: mappings[1]: groups has something" in status.message


def test_given_an_access_entry_with_a_fault_then_a_row_of_the_same_principal_does_not_count(
    deployed: Model, api: FakeCluster
):
    rows = [{"rolearn": DEV, "username": "dev", "groups": MASTERS}]
    good = {"principalArn": DEV, "username": "dev", "kubernetesGroups": ["view"]}
    set_option(deployed, {"accessEntries": [good], "mapRoles": rows})
    (name,) = names(api)

    set_option(deployed, {"accessEntries": [{**good, "kubernetesGroups": [""]}], "mapRoles": rows})

    assert groups(api, name) == ["view"]


def test_given_a_shadowed_row_with_a_fault_then_it_keeps_nothing_from_the_one_that_counts(
    declare: Declare, api: FakeCluster
):
    declare(entry("dev", groups=["view"]), entry("dev", groups=["view"]))

    declare({**entry("dev"), **FAULT}, entry("dev", groups=["edit"]))

    assert names(api) == ["dev"]
    assert groups(api, "dev") == ["edit"]


def test_given_an_unreadable_entry_that_looks_like_nobody_then_whoever_stays_is_named(
    declare: Declare, deployed: Model, api: FakeCluster
):
    declare(BOB, entry("dev"))
    deployed.config = {"mappings": '[{arn: nonsense}, "text"]'}

    planned = deployed.action("plan-mappings", mappings=deployed.config["mappings"])
    status = deployed.hook(deployed.on.config_changed())

    assert names(api) == ["bob", "dev"]
    assert planned["delete"] == "0"
    kept = f"; keeps mappings {name_of(BOB['arn'])}, {NAME}"
    assert kept in planned["plan"]
    assert status.message.endswith(kept)
    assert deployed.log().count(kept) == 2


def test_given_hundreds_who_stay_then_the_first_are_named_and_the_rest_counted(
    declare: Declare, api: FakeCluster
):
    declare(*(entry(f"m{n:03}", f"{ACCOUNT}:role/m{n:03}") for n in range(200)))

    status = declare({"arn": "nonsense"})

    assert len(names(api)) == 200
    assert status.message.endswith(" and 197 more")


@pytest.mark.parametrize("suffix", ["", "0123456789abcde"])
def test_given_a_set_with_a_fault_then_its_role_stays_by_whatever_name(
    declare: Declare, api: FakeCluster, suffix: str
):
    declare({**SET, "suffix": "0123456789abcdef"}, BOB)

    declare({**SET, "grous": [], **({"suffix": suffix} if suffix else {})})

    assert names(api) == ["awsreservedsso-admin-0123456789abcdef"]

"""An entry with a fault: its principal keeps what it has, nobody else does, and it is named."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.fakes.declaring import ACCOUNT, DEV, Declare, entry, names, stored
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
        ({**SET, "name": "a", "groups": MASTERS, "suffix": "0123456789abcdef"},) * 2,
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

    declare({**entry("dev"), **FAULT}, entry("new-name", groups=["edit"]))

    assert names(api) == ["new-name"]
    assert groups(api, "new-name") == ["edit"]


def test_given_a_fault_in_a_new_entry_of_a_name_then_the_former_principal_of_that_name_goes(
    declare: Declare, api: FakeCluster
):
    declare(entry("team"), entry("ops", OPS))

    declare({**entry("team", f"{ACCOUNT}:role/New"), **FAULT}, entry("ops", OPS))

    assert names(api) == ["ops"]


UNREADABLE = {
    "an account of 11 digits": {"arn": "arn:aws:iam::11112222333:role/Dev"},
    "a name alone": {"arn": "Dev"},
    "a role in an account of 11 digits": {"arn": None, "role": "Dev", "account": "11112222333"},
    "another ARN": {"arn": "arn:aws:iam::1:role/x"},
}


@pytest.mark.parametrize("change", UNREADABLE.values(), ids=UNREADABLE)
def test_given_an_unreadable_arn_beside_somebody_who_goes_then_its_principal_alone_stays(
    declare: Declare, deployed: Model, api: FakeCluster, change: dict[str, Any]
):
    dev = {"arn": DEV, "username": "developer", "groups": MASTERS}
    declare(dev, BOB)
    (name,) = set(names(api)) - {"bob"}
    faulty = {key: value for key, value in {**dev, **change}.items() if value}

    status = declare(faulty)

    assert names(api) == [name]
    assert status.message.endswith(f"; keeps mapping {name}")
    assert f"; keeps mapping {name}" in deployed.log()


def test_given_an_unreadable_entry_that_looks_like_nobody_then_whoever_stays_is_named(
    declare: Declare, deployed: Model, api: FakeCluster
):
    declare(BOB, entry("dev"))
    deployed.config = {"mappings": '[{arn: nonsense}, "text"]'}

    planned = deployed.action("plan-mappings", mappings=deployed.config["mappings"])
    status = deployed.hook(deployed.on.config_changed())

    assert names(api) == ["bob", "dev"]
    assert planned["delete"] == "0"
    assert "; keeps mappings bob, dev" in planned["plan"]
    assert status.message.endswith("; keeps mappings bob, dev")
    assert deployed.log().count("; keeps mappings bob, dev") == 2


def test_given_hundreds_who_stay_then_the_first_are_named_and_the_rest_counted(
    declare: Declare, api: FakeCluster
):
    declare(*(entry(f"m{n:03}", f"{ACCOUNT}:role/m{n}") for n in range(200)))

    status = declare({"arn": "nonsense"})

    assert len(names(api)) == 200
    assert status.message.endswith("; keeps mappings m000, m001, m002 and 197 more")


@pytest.mark.parametrize("suffix", ["", "0123456789abcde"])
def test_given_a_set_with_a_fault_then_its_role_stays_by_whatever_name(
    declare: Declare, api: FakeCluster, suffix: str
):
    declare({**SET, "name": "admins", "suffix": "0123456789abcdef"}, BOB)

    declare({**SET, "grous": [], **({"suffix": suffix} if suffix else {})})

    assert names(api) == ["admins"]


def test_given_a_named_entry_with_an_unreadable_arn_then_the_mapping_of_that_name_stays(
    declare: Declare, api: FakeCluster
):
    declare(entry("dev"), BOB)

    status = declare(entry("dev", "Dev"))

    assert names(api) == ["dev"]
    assert status.message.endswith("; keeps mapping dev")


def test_given_a_fault_in_an_entry_then_another_of_its_name_does_not_take_its_mapping(
    declare: Declare, api: FakeCluster
):
    other = entry("team", OPS)
    declare(entry("team"), other)

    declare({**entry("team"), **FAULT}, other)

    assert stored(api, "team")["spec"]["arn"] == DEV


def test_given_the_name_of_a_mapping_that_a_faulty_entry_keeps_then_nobody_else_gets_it(
    declare: Declare, api: FakeCluster, caplog: pytest.LogCaptureFixture
):
    alice, bob = f"{ACCOUNT}:user/alice", f"{ACCOUNT}:user/bob"
    declare(entry("two", alice), entry("three", bob, groups=MASTERS))

    status = declare(entry("three", alice), entry("three", bob, groups=MASTERS))

    assert {each: stored(api, each)["spec"]["arn"] for each in names(api)} == {
        "two": alice,
        "three": bob,
    }
    assert groups(api, "three") == MASTERS
    said = "mappings[1]: it has the same name as mappings[0]: three; keeps mapping three"
    assert f"2 not applied: {said}" in status.message
    assert (
        "mappings[0] is not applied: mappings[1] has a fault, and keeps the name three"
        in caplog.text
    )


def test_given_names_that_each_pass_on_to_the_next_when_the_last_keeps_its_own_then_all_do(
    declare: Declare, api: FakeCluster
):
    """However many they are: each keeps the name that the one before wants."""
    people = [f"{ACCOUNT}:user/p{number}" for number in range(1_100)]
    declare(*(entry(f"n{number}", arn) for number, arn in enumerate(people)))
    before = {each: stored(api, each)["spec"]["arn"] for each in names(api)}

    moved = [entry(f"n{number + 1}", arn) for number, arn in enumerate(people[:-1])]
    declare(*moved, entry("last", people[-1], **FAULT))

    assert {each: stored(api, each)["spec"]["arn"] for each in names(api)} == before

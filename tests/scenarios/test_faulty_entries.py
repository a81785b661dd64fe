"""An option with a fault: nothing of it is applied, and all else goes on."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.fakes import alarms
from tests.fakes.acting import grant
from tests.fakes.declaring import ACCOUNT, DEV, Declare, entry, names, stored
from tests.fakes.juju.model import Model
from tests.fakes.kubernetes.paths import DEPLOYMENT
from tests.fakes.kubernetes.server import FakeCluster

OPS, QA = f"{ACCOUNT}:role/Ops", f"{ACCOUNT}:role/Qa"
BOB = entry("bob", f"{ACCOUNT}:user/bob", groups=["system:masters"])
WRONG = "mappings[0]: 'nonsense' is not an ARN such as arn:aws:iam::111122223333:role/admin"


@pytest.mark.parametrize(
    ("option", "status"),
    [
        ([{"arn": "nonsense"}], f"option mappings: {WRONG}"),
        ([{"arn": "nonsense"}, "text", entry("dev")], f"option mappings: {WRONG} (and 1 more)"),
        ([{**BOB, "groups": [""]}], "option mappings: mappings[0]: groups is not a list of"),
        ([BOB, BOB], "option mappings: mappings[1]: it has the same principal as mappings[0]"),
        ("- [", "option mappings: line "),
    ],
)
def test_given_a_fault_then_nothing_of_the_option_is_applied_and_the_status_names_it(
    declare: Declare, deployed: Model, api: FakeCluster, option: Any, status: str
):
    declare(BOB, entry("ops", OPS))
    api.forget()

    deployed.config = {"mappings": option if isinstance(option, str) else json.dumps(option)}
    found = deployed.hook(deployed.on.config_changed())

    assert found.name == "blocked"
    assert found.message.startswith(status)
    assert api.changes == []
    assert names(api) == ["bob", "ops"]


def test_given_a_fault_then_access_ends_grants_are_made_and_peoples_mappings_work(
    declare: Declare, deployed: Model, api: FakeCluster
):
    declare(BOB, entry("ops", OPS, expires=alarms.after(api, 60)))
    declare(BOB, {"arn": "nonsense"})

    grant(deployed, arn=DEV, role="view", for_="1h")
    api.add_mapping("theirs", QA)
    api.delete(DEPLOYMENT)
    api.clock.now += 61
    deployed.hook()

    assert names(api) == ["bob", "dev", "theirs"]
    assert DEPLOYMENT in api.objects
    assert stored(api, "theirs")["status"] == {"canonicalARN": QA.lower()}
    deployed.action("revoke-access", arn=DEV)
    assert names(api) == ["bob", "theirs"]


def test_given_an_access_entry_with_a_fault_then_a_row_of_the_same_principal_does_not_count(
    deployed: Model, api: FakeCluster
):
    rows = [{"rolearn": DEV, "username": "dev", "groups": ["system:masters"]}]
    good = {"principalArn": DEV, "username": "dev", "kubernetesGroups": ["view"]}
    for groups in (["view"], [""]):
        entries = [{**good, "kubernetesGroups": groups}]
        deployed.config = {"mappings": json.dumps({"accessEntries": entries, "mapRoles": rows})}
        deployed.hook(deployed.on.config_changed())

    assert stored(api, "dev")["spec"]["groups"] == ["view"]

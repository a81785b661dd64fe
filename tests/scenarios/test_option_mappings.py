"""The option `mappings`: all of it or nothing, and exactly the roles of its permission sets."""

from __future__ import annotations

import datetime
import json
from typing import Any

import pytest
from tests.fakes import alarms
from tests.fakes.acting import grant
from tests.fakes.declaring import ACCOUNT, DEV, Declare, arns, entry, name_of, names, stored
from tests.fakes.explaining import log_line
from tests.fakes.juju.model import Model
from tests.fakes.kubernetes.paths import DEPLOYMENT
from tests.fakes.kubernetes.server import FakeCluster

OPS, QA = f"{ACCOUNT}:role/Ops", f"{ACCOUNT}:role/Qa"
BOB = entry("bob", f"{ACCOUNT}:user/bob", groups=["system:masters"])
WRONG = "mappings[0]: 'nonsense' is not an ARN such as arn:aws:iam::111122223333:role/admin"


@pytest.mark.parametrize(
    ("option", "status"),
    [
        ([{"arn": "nonsense"}], WRONG),
        ([{"arn": "nonsense"}, "text", entry("dev")], f"{WRONG} (and 1 more)"),
        ("- [", "line "),
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
    assert found.message.startswith(f"option mappings: {status}")
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


SET = {"permission-set": "DevOps", "account": "111122223333", "username": "devops"}
ROLE = f"{ACCOUNT}:role/AWSReservedSSO_DevOps_0123456789abcdef"


def log_refusal(api: FakeCluster, arn: str) -> None:
    """Let a pod that has been there since 1970 have refused the principal a minute ago."""
    at = datetime.datetime.fromtimestamp(api.clock.now - 60, datetime.timezone.utc)
    time = at.isoformat().replace("+00:00", "Z")
    line = log_line(arn, "identity is not mapped", time=time)
    api.add_lines("authenticator-x", (api.clock.now, b"{}\n"), (60, line))


def test_given_a_permission_set_when_one_of_it_was_refused_then_exactly_its_role_is_mapped(
    declare: Declare, deployed: Model, api: FakeCluster
):
    said = "role unknown; log in once with this permission set, or set suffix"
    assert said in declare(SET).message
    assert names(api) == []
    assert alarms.rings(deployed, api) == [pytest.approx(10, abs=0.001)]

    log_refusal(api, ROLE)
    declare(SET)
    assert list(arns(api).values()) == [ROLE]
    deployed.hook()
    api.forget()
    deployed.hook()
    assert not [each for each in api.requests if each.endswith("/log")]
    assert alarms.rings(deployed, api) == []


def test_given_another_role_that_is_refused_when_one_is_known_then_only_a_person_changes_it(
    declare: Declare, deployed: Model, api: FakeCluster
):
    log_refusal(api, ROLE)
    declare(SET)
    new = f"{ROLE[:-16]}{'0' * 16}"
    api.clock.sleep(100 * 86400)
    log_refusal(api, new)
    deployed.hook()

    assert list(arns(api).values()) == [ROLE]
    assert f"set suffix: {'0' * 16} in mappings[0]" in deployed.action("list-refusals")["refusals"]
    declare({**SET, "suffix": "0" * 16})
    assert list(arns(api).values()) == [new]
    assert f"write mapping {name_of(new)} of {new}" in deployed.log()

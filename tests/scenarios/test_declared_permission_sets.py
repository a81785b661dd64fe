"""Permission sets in the option `mappings`: exactly their roles are mapped."""

from __future__ import annotations

import datetime

import pytest
from tests.fakes.declaring import ACCOUNT, Declare, arns, name_of, names, stored
from tests.fakes.explaining import log_line
from tests.fakes.juju.model import Model
from tests.fakes.kubernetes.server import FakeCluster

SET = {"permission-set": "DevOps", "account": "111122223333", "username": "devops"}
ROLE = f"{ACCOUNT}:role/AWSReservedSSO_DevOps_0123456789abcdef"
NAME = name_of(ROLE)


def log_refusal(api: FakeCluster, arn: str) -> None:
    """Let a pod that has been there since 1970 have refused the principal a minute ago."""
    at = datetime.datetime.fromtimestamp(api.clock.now - 60, datetime.timezone.utc)
    time = at.isoformat().replace("+00:00", "Z")
    line = log_line(arn, "identity is not mapped", time=time)
    api.add_lines("authenticator-x", (api.clock.now, b"{}\n"), (60, line))


def test_given_a_permission_set_when_one_of_it_was_refused_then_exactly_its_role_is_mapped(
    declare: Declare, api: FakeCluster
):
    assert (
        "role unknown; log in once with this permission set, or set suffix" in declare(SET).message
    )
    assert names(api) == []

    log_refusal(api, ROLE)

    declare(SET)
    assert stored(api, NAME)["spec"]["arn"] == ROLE


def test_given_a_permission_set_without_its_suffix_then_the_unit_looks_again_by_itself(
    declare: Declare, deployed: Model, api: FakeCluster
):
    declare(SET)
    (alarm,) = deployed.units[0].alarms
    assert alarm.expire
    assert alarm.expire.timestamp() - api.clock.now == pytest.approx(30, abs=0.001)

    declare({**SET, "suffix": "0123456789abcdef"})
    assert not deployed.units[0].alarms


def test_given_another_role_that_is_refused_when_one_is_known_then_only_a_person_changes_it(
    declare: Declare, deployed: Model, api: FakeCluster
):
    log_refusal(api, ROLE)
    declare(SET)
    new = f"{ROLE[:-16]}{'0' * 16}"
    api.clock.sleep(100 * 86400)
    log_refusal(api, new)
    api.forget()

    deployed.hook()

    assert stored(api, NAME)["spec"]["arn"] == ROLE
    assert f"set suffix: {'0' * 16} in mappings[0]" in deployed.action("list-refusals")["refusals"]
    declare({**SET, "suffix": "0" * 16})
    assert list(arns(api).values()) == [new]
    assert f"write mapping {name_of(new)} of {new}" in deployed.log()


def test_given_a_set_whose_role_is_known_when_a_hook_runs_then_it_reads_no_log(
    declare: Declare, deployed: Model, api: FakeCluster
):
    log_refusal(api, ROLE)
    declare(SET)
    deployed.hook()
    api.forget()

    deployed.hook()

    assert not [each for each in api.requests if each.endswith("/log")]


@pytest.mark.parametrize("order", [1, -1])
@pytest.mark.parametrize("arn", [ROLE, ROLE.lower()])
def test_given_an_entry_with_the_role_of_a_declared_set_then_it_is_a_duplicate_at_once(
    declare: Declare, api: FakeCluster, order: int, arn: str
):
    entries = [SET, {"arn": arn, "username": "x"}][::order]

    status = declare(*entries)

    place, other = (1, 0) if order == 1 else (0, 1)
    said = f"mappings[{place}]: it has the same principal as mappings[{other}]"
    assert status.message == f"option mappings: {said}"
    assert names(api) == []

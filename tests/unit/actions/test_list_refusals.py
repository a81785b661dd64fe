"""The refusals of the last hour, as `list-refusals` and `explain-access` list them."""

from __future__ import annotations

import json

import pytest
from tests.fakes.explaining import FORMAT, ROLE, explained, log_line, refuse
from tests.fakes.juju.model import Model
from tests.fakes.kubernetes.faults import refusal
from tests.fakes.kubernetes.paths import PODS
from tests.fakes.kubernetes.server import FakeCluster
from tests.fakes.listing import add

OPS = "arn:aws:iam::111122223333:role/Ops"
GRANT = "juju run aws-iam/leader grant-access"
WHY = "AWS confirms this identity, and no mapping has its ARN"
OLD = "the token is older than 15 minutes, or from the future: compare the person's clock"


def listed(model: Model) -> list[str]:
    return model.action("list-refusals")["refusals"].splitlines()


def test_given_refusals_when_asked_for_then_each_is_there_with_the_command_that_admits(
    deployed: Model, api: FakeCluster
):
    add(api, "dev", "dev", "alice")
    old = (4000, b"old\n")
    unmapped = log_line(OPS, "identity is not mapped", 1)
    clock = log_line("", f"{FORMAT}X-Amz-Date parameter is expired", 2)
    api.add_lines("a", old, (0, unmapped), (0, clock))
    api.add_lines("b", old, (0, unmapped))

    unknown = "an unknown principal, once, the last at 1970-01-01T00:00:02Z"
    assert listed(deployed) == [
        "refused in the last hour:",
        f"{OPS}, 2 times, the last at 1970-01-01T00:00:01Z: not mapped: {WHY}",
        f"to let it in: {GRANT} arn={OPS} username=USERNAME groups=GROUPS",
        f"{unknown}: clock skew: {OLD}",
    ]


STRANGER = "arn:aws:iam::999988887777:role/admin"


def test_given_an_account_that_nothing_maps_when_refusals_are_asked_for_then_no_command_admits_it(
    deployed: Model, api: FakeCluster
):
    add(api, "dev", "dev", "alice")
    refuse(api, STRANGER)

    assert listed(deployed)[2] == (
        "no mapping is of account 999988887777: if you know the account, run: "
        f"juju run aws-iam/leader explain-access arn={STRANGER}"
    )
    assert "grant-access" not in "".join(listed(deployed))
    # Who asks for it by name knows it.
    assert "grant-access" in "".join(explained(deployed, STRANGER))


@pytest.mark.parametrize(
    "entry",
    [
        {"arn": "arn:aws:iam::999988887777:user/bob", "username": "bob"},
        {"permission-set": "DevOps", "account": "999988887777", "username": "devops"},
    ],
    ids=["an ARN", "a permission set"],
)
def test_given_an_account_of_the_option_when_refusals_are_asked_for_then_the_command_is_there(
    deployed: Model, api: FakeCluster, entry: dict[str, str]
):
    deployed.config = {"mappings": json.dumps([entry])}
    refuse(api, STRANGER)

    assert listed(deployed)[2].startswith("to let it in: juju run aws-iam/leader grant-access")


def test_given_many_strangers_when_refusals_are_asked_for_then_people_of_known_accounts_come_first(
    deployed: Model, api: FakeCluster
):
    add(api, "dev", "dev", "alice")
    strangers = [f"arn:aws:iam::999988887777:role/r{n}" for n in range(30)]
    lines = [log_line(arn, "identity is not mapped", 5) for arn in strangers]
    person = log_line("arn:aws:iam::111122223333:role/ops", "identity is not mapped", 1)
    api.add_log("a", b"".join([person, *lines]))

    assert listed(deployed)[1].startswith("arn:aws:iam::111122223333:role/ops, once")


def test_given_a_log_that_begins_later_then_it_says_since_when(deployed: Model, api: FakeCluster):
    api.clock.now = 7200
    api.add_lines("a", (600, b"Authenticator Version\n"))

    assert listed(deployed) == [
        "the logs that there are show nobody who was refused",
        "the log reaches back to 1970-01-01T01:50:00Z: earlier refusals are not known",
    ]


def test_given_a_refusal_whose_access_key_is_known_when_asked_for_then_the_line_has_it(
    deployed: Model, api: FakeCluster
):
    answer = {"level": "info", "msg": "STS response", "session": "alice"}
    known = log_line(ROLE, "", 0, **answer, accesskeyid="ASIAALICE00000000000")
    api.add_log("a", known + log_line(ROLE, "identity is not mapped", 1))

    line = listed(deployed)[1]

    assert line.startswith(f"{ROLE} alice with access key ASIAALICE00000000000, once, ")


def test_given_no_mapping_then_its_own_refusals_come_first(deployed: Model, api: FakeCluster):
    other = log_line("arn:aws:iam::111122223333:role/ops", "identity is not mapped", 9)
    api.add_log("a", log_line(ROLE, "identity is not mapped") + other)

    lines = explained(deployed)

    begin = lines.index("refused in the last hour:")
    assert [line.split(",")[0] for line in lines[begin + 1 : begin + 3]] == [
        ROLE,
        "arn:aws:iam::111122223333:role/ops",
    ]
    # The command for the principal itself stands above already.
    assert sum("grant-access" in line for line in lines) == 2


def test_given_a_pod_whose_log_cannot_be_read_then_it_is_named(deployed: Model, api: FakeCluster):
    api.add_log("a", b"")
    api.fail(refusal(500, "dial tcp: no route to host"), request=f"GET {PODS}/a/log")

    assert explained(deployed)[-2:] == [
        "the logs that there are show nobody who was refused",
        "the log of pod a is missing: 500 dial tcp: no route to host",
    ]


def test_given_many_refusals_when_explained_then_the_first_are_shown_and_all_are_counted(
    deployed: Model, api: FakeCluster
):
    refuse(api, *(f"arn:aws:iam::111122223333:role/r{n}" for n in range(50)))

    lines = listed(deployed)

    assert len([line for line in lines if ", once, " in line]) == 20
    assert "30 more principals or reasons" in lines


def test_given_others_who_are_mapped_by_now_when_explained_then_only_a_question_for_all_has_them(
    deployed: Model, api: FakeCluster
):
    other = "arn:aws:iam::111122223333:role/ops"
    add(api, "ops", "ops", "bob")
    refuse(api, other)

    assert not [line for line in explained(deployed) if line.startswith(other)]
    assert "it is mapped by now" in listed(deployed)

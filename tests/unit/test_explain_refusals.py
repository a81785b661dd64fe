"""The refusals of the last hour, in what `explain-access` says."""

from __future__ import annotations

import json

from tests.unit.explaining import ROLE, explained, log_line, refuse
from tests.unit.fake_cluster import PODS, FakeCluster
from tests.unit.faults import refusal
from tests.unit.model import Model
from tests.unit.test_list_mappings import add


def test_given_refusals_when_asked_for_then_each_is_there_with_the_command_that_admits(
    deployed: Model, api: FakeCluster
):
    unmapped = log_line("arn:aws:iam::111122223333:role/Ops", "identity is not mapped", 1)
    clock = log_line(
        "", "input token was not properly formatted: X-Amz-Date parameter is expired", 2
    )
    api.add_log("a", unmapped + clock)
    api.add_log("b", unmapped)

    assert deployed.action("explain-access", recent=True)["explanation"].splitlines() == [
        "refused in the last hour:",
        (
            "an unknown principal, once, the last at 2026-11-26T08:16:02Z: clock skew: the token "
            "is older than 15 minutes, or from the future: compare the person's clock"
        ),
        (
            "arn:aws:iam::111122223333:role/Ops, 2 times, the last at 2026-11-26T08:16:01Z: "
            "not mapped: AWS confirms this identity, and no mapping has its ARN"
        ),
        (
            "to let it in: juju run aws-iam/leader grant-access "
            "arn=arn:aws:iam::111122223333:role/ops username=ops groups=GROUPS"
        ),
    ]


def test_given_a_refusal_whose_access_key_is_known_when_asked_for_then_the_line_has_it(
    deployed: Model, api: FakeCluster
):
    known = json.loads(log_line(ROLE, "")) | {
        "msg": "STS response",
        "accesskeyid": "ASIAALICE00000000000",
        "session": "alice",
    }
    denied = log_line(ROLE, "identity is not mapped", 1)
    api.add_log("a", json.dumps(known).encode() + b"\n" + denied)

    line = deployed.action("explain-access", recent=True)["explanation"].splitlines()[1]

    assert line.startswith(f"{ROLE} alice with access key ASIAALICE00000000000, once, ")


def test_given_no_mapping_when_explained_then_its_own_refusals_come_first(
    deployed: Model, api: FakeCluster
):
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


def test_given_a_mapped_principal_when_explained_then_refusals_are_read_if_asked_for(
    deployed: Model, api: FakeCluster
):
    add(api, "dev", "dev", "alice")

    assert "nobody was refused in the last hour" not in explained(deployed)
    assert explained(deployed, recent=True)[-1] == "nobody was refused in the last hour"


def test_given_a_pod_whose_log_cannot_be_read_when_explained_then_it_is_named(
    deployed: Model, api: FakeCluster
):
    api.add_log("a", b"")
    api.fail(refusal(500, "no"), request=f"GET {PODS}/a/log")

    assert explained(deployed)[-2:] == [
        "nobody was refused in the last hour",
        "the log of pod a is missing: 500 Internal Server Error",
    ]


def test_given_many_refusals_when_explained_then_the_first_are_shown_and_all_are_counted(
    deployed: Model, api: FakeCluster
):
    denied = (f"arn:aws:iam::111122223333:role/r{n}" for n in range(50))
    api.add_log("a", b"".join(log_line(arn, "identity is not mapped") for arn in denied))

    lines = deployed.action("explain-access", recent=True)["explanation"].splitlines()

    assert lines[-1] == "30 more principals or reasons"
    assert len(lines) == 42


def test_given_others_who_are_mapped_by_now_when_explained_then_only_a_question_for_all_has_them(
    deployed: Model, api: FakeCluster
):
    other = "arn:aws:iam::111122223333:role/ops"
    add(api, "ops", "ops", "bob")
    refuse(api, other)

    assert not [line for line in explained(deployed) if line.startswith(other)]
    assert "it is mapped by now" in explained(deployed, recent=True)

"""The log of the authenticator's pods, and what the leader learns from it."""

from __future__ import annotations

import json

import pytest
from httpx2 import ReadTimeout
from tests.unit.conftest import Files
from tests.unit.fake_cluster import PODS, FakeCluster
from tests.unit.faults import REFUSALS, Answer, refusal, unreachable

import leader
from access.mappings import IdentityMapping
from access.permission_sets import PermissionSet
from cluster import api as cluster_api
from cluster import logs
from cluster.api import Client

DEVOPS = PermissionSet("DevOps", "111122223333")
OLD, NEW = (
    f"arn:aws:iam::111122223333:role/AWSReservedSSO_DevOps_{suffix}"
    for suffix in ("1a2b3c4d5e6f7081", "9182736455463728")
)


def log_of(arn: str) -> bytes:
    """The log of a pod that refused this principal."""
    denied = {"msg": "access denied", "error": "identity is not mapped", "arn": arn}
    return json.dumps({**denied, "time": "2026-11-26T08:16:31Z"}).encode() + b"\n"


@pytest.fixture
def client(api: FakeCluster, files: Files) -> Client:
    return cluster_api.connect(files.admin)


def mapping(arn: str) -> IdentityMapping:
    return IdentityMapping("devops", arn, "devops", arn.lower(), (), "option")


def test_given_two_pods_when_read_then_the_lines_of_each_are_there_in_their_order(
    api: FakeCluster, client: Client
) -> None:
    api.add_log("a", b"1\n2\n")
    api.add_log("b", b"3\n")
    assert logs.read(client, 60) == logs.Logs(["1", "2", "", "3", ""], {})


def test_given_a_log_when_read_then_the_request_has_bounds(
    api: FakeCluster, client: Client
) -> None:
    api.add_log("a", b"")
    logs.read(client, 60)
    seen = api.seen[-1]
    assert str(seen) == f"GET {PODS}/a/log"
    assert seen.query == {
        "container": "aws-iam-authenticator",
        "sinceSeconds": "60",
        "tailLines": str(logs.LINES),
        "limitBytes": str(logs.BYTES),
    }
    assert seen.seconds["read"] == logs.SECONDS


def test_given_characters_that_end_a_line_elsewhere_then_only_a_newline_ends_one(
    api: FakeCluster, client: Client
) -> None:
    api.add_log("a", "1\u0085\u2028\x0c\r2\n".encode() + b"\xff")
    assert logs.read(client, 60).lines == ["1\u0085\u2028\x0c\r2", "\N{REPLACEMENT CHARACTER}"]


@pytest.mark.parametrize("fault", REFUSALS)
def test_given_a_pod_whose_log_cannot_be_read_then_it_is_named_and_the_others_are_read(
    api: FakeCluster, client: Client, fault: str
) -> None:
    api.add_log("a", b"1")
    api.add_log("b", b"2")
    api.fail(REFUSALS[fault], request=f"GET {PODS}/a/log")

    found = logs.read(client, 60)

    assert found.lines == ["2"]
    assert list(found.unread) == ["a"]
    assert found.unread["a"]


def test_given_little_time_then_no_log_is_asked_for(api: FakeCluster, client: Client) -> None:
    api.add_log("a", b"1")
    api.clock.sleep(client.seconds_left - logs.SECONDS + 1)
    found = logs.read(client, 60)
    assert found == logs.Logs([], {"a": "the Kubernetes API takes too long"})
    assert api.requests == [f"GET {PODS}"]


# What the leader learns.


def test_given_no_permission_set_then_nothing_is_requested(
    api: FakeCluster, client: Client
) -> None:
    assert leader.permission_set_roles(client, [], [mapping(OLD)]) == {}
    assert api.requests == []


def test_given_sets_with_their_suffix_then_nothing_is_requested(
    api: FakeCluster, client: Client
) -> None:
    pinned = PermissionSet("DevOps", "111122223333", "1a2b3c4d5e6f7081")
    assert leader.permission_set_roles(client, [pinned], []) == {}
    assert api.requests == []


def test_given_an_unknown_role_then_it_is_learned_from_an_hour_of_any_pods_log(
    api: FakeCluster, client: Client
) -> None:
    api.add_log("a", b"")
    api.add_log("b", log_of(OLD))
    assert leader.permission_set_roles(client, [DEVOPS], []) == {DEVOPS: OLD}
    assert {seen.query.get("sinceSeconds") for seen in api.seen} == {None, "3600"}


def test_given_a_known_role_then_it_stays_and_ten_minutes_are_looked_at(
    api: FakeCluster, client: Client
) -> None:
    api.add_log("a", b"")
    assert leader.permission_set_roles(client, [DEVOPS], [mapping(OLD)]) == {DEVOPS: OLD}
    assert api.seen[-1].query["sinceSeconds"] == "600"


def test_given_a_set_provisioned_again_then_the_new_role_is_learned(
    api: FakeCluster, client: Client
) -> None:
    api.add_log("a", log_of(NEW))
    assert leader.permission_set_roles(client, [DEVOPS], [mapping(OLD)]) == {DEVOPS: NEW}


@pytest.mark.parametrize(
    "fault", [refusal(403, "pods/log is forbidden"), unreachable(ReadTimeout)]
)
def test_given_logs_that_cannot_be_read_then_the_known_role_stays(
    api: FakeCluster, client: Client, fault: Answer
) -> None:
    api.add_log("a", log_of(NEW))
    api.fail(fault, request=f"GET {PODS}/a/log")
    assert leader.permission_set_roles(client, [DEVOPS], [mapping(OLD)]) == {DEVOPS: OLD}

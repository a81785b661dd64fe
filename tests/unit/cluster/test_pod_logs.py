"""The log of the authenticator's pods, and what the leader learns from it."""

from __future__ import annotations

import dataclasses
import datetime
import json
from typing import Any

import pytest
from tests.fakes.explaining import log_line
from tests.fakes.kubernetes.faults import REFUSALS
from tests.fakes.kubernetes.paths import PODS
from tests.fakes.kubernetes.server import FakeCluster

from access.declaration.declared import parse
from access.mapping import IdentityMapping
from access.permission_sets import PermissionSet
from cluster import pod_logs, set_roles
from cluster.api import Client

DEVOPS = PermissionSet("DevOps", "111122223333")
OLD, NEW = (
    f"arn:aws:iam::111122223333:role/AWSReservedSSO_DevOps_{suffix}"
    for suffix in ("1a2b3c4d5e6f7081", "9182736455463728")
)


def mapping(arn: str) -> IdentityMapping:
    return IdentityMapping("devops", arn, "devops", arn.lower(), (), "option")


def test_given_two_pods_when_read_then_the_lines_of_each_are_there_in_their_order(
    api: FakeCluster, client: Client
) -> None:
    api.add_log("a", b"1\n2\n")
    api.add_log("b", b"3\n")
    found = pod_logs.read(client, 60)
    assert (found.lines, found.unread) == (["1", "2", "3"], {})


def test_given_a_log_when_read_then_the_request_has_bounds(
    api: FakeCluster, client: Client
) -> None:
    api.add_log("a", b"1")
    pod_logs.read(client, 60)
    seen = next(seen for seen in api.seen if seen.path.endswith("/log"))
    assert str(seen) == f"GET {PODS}/a/log"
    assert seen.query == {
        "container": "aws-iam-authenticator",
        "tailLines": str(pod_logs.LINES),
        "timestamps": "true",
    }
    assert seen.seconds["read"] == pod_logs.SECONDS


def test_given_characters_that_end_a_line_elsewhere_then_only_a_newline_ends_one(
    api: FakeCluster, client: Client
) -> None:
    api.add_log("a", "1\u0085\u2028\x0c\r2\n".encode() + b"\xff")
    assert pod_logs.read(client, 60).lines == ["1\u0085\u2028\x0c\r2", "\N{REPLACEMENT CHARACTER}"]


# How far back, and how much.


def numbered(*ago: float) -> list[tuple[float, bytes]]:
    """Lines, each with its number, so many seconds old."""
    return [(seconds, b"%d\n" % n) for n, seconds in enumerate(ago)]


def read_numbers(found: pod_logs.Logs) -> list[int]:
    return [int(line) for line in found.lines]


def test_given_a_log_that_reaches_back_then_lines_of_the_time_asked_for_are_there(
    api: FakeCluster, client: Client
) -> None:
    api.add_lines("a", *numbered(90, 61, 59, 1))
    found = pod_logs.read(client, 60)
    assert (read_numbers(found), found.covers) == ([2, 3], True)
    assert found.begin.timestamp() == api.clock.now - 60
    assert found.end.timestamp() == api.clock.now


def test_given_a_log_that_begins_later_then_it_says_since_when_it_is_complete(
    api: FakeCluster, client: Client
) -> None:
    api.add_lines("a", *numbered(90, 1))
    api.add_lines("b", *numbered(20, 10))
    found = pod_logs.read(client, 60)
    assert (read_numbers(found), found.covers) == ([1, 0, 1], False)
    assert found.begin.timestamp() == api.clock.now - 20


def test_given_an_empty_log_then_it_covers_nothing(api: FakeCluster, client: Client) -> None:
    api.add_log("a", b"")
    found = pod_logs.read(client, 60)
    assert (found.lines, found.begin, found.covers) == ([], found.end, False)


def test_given_more_lines_than_are_read_then_the_newest_are_there_and_how_far_back_is_known(
    api: FakeCluster, client: Client
) -> None:
    api.add_lines("a", *numbered(90, *([30] * (pod_logs.LINES - 1))))
    assert pod_logs.read(client, 60).covers

    api.add_lines("a", *numbered(90, *([30] * pod_logs.LINES)))
    found = pod_logs.read(client, 60)
    assert read_numbers(found) == [*range(1, pod_logs.LINES + 1)]
    assert (found.begin.timestamp() // 1, found.covers) == (api.clock.now - 30, False)


def test_given_a_line_without_the_nodes_time_then_it_is_left_out(
    api: FakeCluster, client: Client
) -> None:
    api.add_log("a", b"1\n")
    api._logs[f"{PODS}/a/log"] += [b'{"msg": "x"}\n', b"\n", b"2026 x\n"]
    assert pod_logs.read(client, 60).lines == ["1"]


@pytest.mark.parametrize("fault", REFUSALS)
def test_given_a_pod_whose_log_cannot_be_read_then_it_is_named_unless_it_has_gone(
    api: FakeCluster, client: Client, fault: str
) -> None:
    api.add_log("a", b"0")
    api.add_lines("b", *numbered(90, 30))
    api.fail(REFUSALS[fault], request=f"GET {PODS}/a/log")

    found = pod_logs.read(client, 60)

    assert (read_numbers(found), found.covers) == ([1], False)
    assert list(found.unread) == ([] if fault.startswith("404") else ["a"])
    assert all(found.unread.values())


def test_given_little_time_then_no_log_is_asked_for(api: FakeCluster, client: Client) -> None:
    api.add_log("a", b"1")
    api.clock.sleep(client.seconds_left - pod_logs.SECONDS + 1)
    found = pod_logs.read(client, 60)
    assert (found.lines, found.covers) == ([], False)
    assert found.unread == {"a": "the Kubernetes API takes too long"}
    assert api.requests == [f"GET {PODS}"]


# What the leader learns.


def learned(client: Client, *found: IdentityMapping, suffix: str = "") -> dict[Any, str]:
    """The roles that are known of the set, which the option declares."""
    entry = {"permission-set": "DevOps", "account": "111122223333", "suffix": suffix}
    declared = parse(json.dumps([entry]), datetime.datetime.now(datetime.timezone.utc))
    return set_roles.find(client, declared, found)


def test_given_a_set_with_its_suffix_then_nothing_is_requested(
    api: FakeCluster, client: Client
) -> None:
    assert learned(client, mapping(OLD), suffix="1a2b3c4d5e6f7081") == {}
    assert api.requests == []


@pytest.mark.parametrize(
    ("error", "role"),
    [("identity is not mapped", {DEVOPS: OLD}), ("invalid username 'system:x'", {})],
)
def test_given_a_refused_role_then_it_is_learned_where_only_a_mapping_lacks(
    api: FakeCluster, client: Client, error: str, role: dict[PermissionSet, str]
) -> None:
    api.add_log("a", log_line(OLD, error))
    assert learned(client) == role


def test_given_a_login_by_a_persons_mapping_then_its_role_is_learned(
    api: FakeCluster, client: Client
) -> None:
    by_hand = dataclasses.replace(mapping(OLD), source="")
    assert learned(client, by_hand) == {}
    api.add_log("a", log_line(OLD, "", msg="access granted", level="info"))
    assert learned(client, by_hand) == {DEVOPS: OLD}


@pytest.mark.parametrize(("ago", "role"), [(3500, {DEVOPS: NEW}), (3700, {})])
def test_given_a_refusal_then_it_counts_for_an_hour(
    api: FakeCluster, client: Client, ago: float, role: dict[PermissionSet, str]
) -> None:
    at = datetime.datetime.fromtimestamp(api.clock.now - ago, datetime.timezone.utc)
    api.add_log("a", log_line(NEW, "identity is not mapped", time=f"{at.isoformat()}"), ago)
    assert learned(client) == role

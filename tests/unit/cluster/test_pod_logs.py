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
from cluster import pod_logs
from cluster.api import Client

DEVOPS = PermissionSet("DevOps", "111122223333")
OLD, NEW = (
    f"arn:aws:iam::111122223333:role/AWSReservedSSO_DevOps_{suffix}"
    for suffix in ("1a2b3c4d5e6f7081", "9182736455463728")
)


def mapping(arn: str) -> IdentityMapping:
    return IdentityMapping("devops", arn, "devops", arn.lower(), (), "option")


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


@pytest.mark.parametrize(
    ("a", "b", "numbers", "begin", "covers"),
    [
        ((90, 61, 59, 1), (), [2, 3], 60, True),
        ((90, 1), (20, 10), [1, 0, 1], 20, False),
        ((), (), [], 0, False),
    ],
    ids=["reaches back", "one begins later", "empty"],
)
def test_given_logs_then_lines_of_the_time_asked_for_are_there_and_since_when_all_are(
    api: FakeCluster,
    client: Client,
    a: tuple[float, ...],
    b: tuple[float, ...],
    numbers: list[int],
    begin: float,
    covers: bool,
) -> None:
    api.add_lines("a", *numbered(*a))
    if b:
        api.add_lines("b", *numbered(*b))
    found = pod_logs.read(client, 60)
    assert (read_numbers(found), found.covers) == (numbers, covers)
    assert found.begin.timestamp() == api.clock.now - begin


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
    return pod_logs.set_roles(client, declared, found)


def test_given_a_set_with_its_suffix_then_nothing_is_requested(
    api: FakeCluster, client: Client
) -> None:
    assert learned(client, mapping(OLD), suffix="1a2b3c4d5e6f7081") == {}
    assert api.requests == []


def test_given_a_login_by_a_persons_mapping_then_its_role_is_learned(
    api: FakeCluster, client: Client
) -> None:
    by_hand = dataclasses.replace(mapping(OLD), source="")
    assert learned(client, by_hand) == {}
    api.add_log("a", log_line(OLD, "", msg="access granted", level="info"))
    assert learned(client, by_hand) == {DEVOPS: OLD}


@pytest.mark.parametrize(
    ("error", "ago", "role"),
    [
        ("identity is not mapped", 3500, {DEVOPS: NEW}),
        ("identity is not mapped", 3700, {}),
        ("invalid username 'system:x'", 3500, {}),
    ],
)
def test_given_a_refused_role_then_it_is_learned_for_an_hour_where_only_a_mapping_lacks(
    api: FakeCluster, client: Client, error: str, ago: float, role: dict[Any, str]
) -> None:
    at = datetime.datetime.fromtimestamp(api.clock.now - ago, datetime.timezone.utc)
    api.add_log("a", log_line(NEW, error, time=f"{at.isoformat()}"), ago)
    assert learned(client) == role

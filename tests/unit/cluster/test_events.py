"""Kubernetes Events on mappings: what they say, and how many there are."""

from __future__ import annotations

from typing import Any

import pytest
from tests.fakes.declaring import ACCOUNT, DEV
from tests.fakes.juju.model import Model
from tests.fakes.kubernetes.faults import refusal
from tests.fakes.kubernetes.paths import MAPPINGS, NOTICES
from tests.fakes.kubernetes.server import FakeCluster

from cluster import events


def notices(api: FakeCluster, reason: str = "") -> list[dict[str, Any]]:
    """The events on mappings, in the order in which they were written."""
    found = [event for path, event in api.objects.items() if path.startswith(NOTICES)]
    return [event for event in found if reason in ("", event["reason"])]


def grant(model: Model, **more: Any) -> None:
    model.action("grant-access", **{"arn": DEV, "username": "alice", "name": "dev", **more})


def test_given_a_grant_when_it_is_made_and_revoked_then_each_leaves_an_event(
    deployed: Model, api: FakeCluster
):
    grant(deployed, groups="view", reason="an incident")
    deployed.action("revoke-access", arn=DEV)

    granted, revoked = notices(api)
    assert granted["regarding"].pop("uid")
    assert granted["regarding"] == {
        "apiVersion": "iamauthenticator.k8s.aws/v1alpha1",
        "kind": "IAMIdentityMapping",
        "name": "dev",
    }
    about = tuple(granted[each] for each in ("reason", "action", "type"))
    assert about == ("AccessGranted", "Grant", "Normal")
    assert granted["note"] == (
        f"grant-access granted access of {DEV} until it is revoked as alice, groups view, "
        "because: an incident"
    )
    assert granted["reportingInstance"] == "aws-iam"
    assert len(granted["eventTime"]) == len("2026-11-28T03:00:00.000000Z")
    assert revoked["reason"] == "AccessRevoked"
    assert DEV in revoked["note"]


# What somebody could fill, keep away, forge or stop.


def test_given_a_thousand_grants_that_end_at_once_when_hooks_run_then_the_last_event_counts_them(
    deployed: Model, api: FakeCluster
):
    for number in range(200):
        arn = f"{ACCOUNT}:role/r{number}"
        api.add_mapping(f"r{number:03}", arn, arn, expires="1970-01-01T00:00:00Z")

    deployed.hook()

    found = notices(api, "AccessEnded")
    assert len(found) == events.MOST
    assert found[-1]["note"].startswith("this and 180 others, see list-mappings: access of ")


def test_given_events_that_cannot_be_written_then_grants_ends_and_hooks_go_on(
    deployed: Model, api: FakeCluster, caplog: pytest.LogCaptureFixture
):
    api.fail(refusal(403, "quota exceeded"), request=f"POST {NOTICES}")

    grant(deployed, **{"for": "1h"})
    status = deployed.hook()
    api.clock.now += 3601
    deployed.hook()

    assert status.name == "active"
    assert f"{MAPPINGS}/dev" not in api.objects
    assert notices(api) == []
    assert caplog.text.count("no event for mapping dev: ") == 2


def test_given_long_names_and_lines_when_an_event_is_written_then_it_is_one_short_line(
    deployed: Model, api: FakeCluster
):
    name = "a" * 199 + "-" + "b" * 50
    api.add_mapping(name, "x" * 1500, expires="1970-01-01T00:00:00Z")

    deployed.hook()

    (event,) = notices(api)
    assert len(event["metadata"]["name"]) <= 253
    assert "-." not in event["metadata"]["name"]
    assert len(event["note"].encode()) <= 1_000

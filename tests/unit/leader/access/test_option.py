"""The option `mappings` in a running unit: what the charm makes of it, and leaves alone."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import ops
import pytest
from tests.fakes.declaring import ACCOUNT, DEV, HEALTHY, NAME, Declare, entry, names, stored
from tests.fakes.juju.model import Model
from tests.fakes.kubernetes.paths import MAPPINGS
from tests.fakes.kubernetes.server import FakeCluster

OPS = f"{ACCOUNT}:role/Ops"


def test_given_a_declared_mapping_when_the_option_is_set_then_it_works_at_once(
    declare: Declare, api: FakeCluster
):
    status = declare(entry("dev", groups=["view"], expires="2027-01-01T01:00:00+01:00"))

    assert status == ops.ActiveStatus(f"{HEALTHY}, 1 mapping")
    assert api.changes == [f"POST {MAPPINGS}", f"PATCH {MAPPINGS}/{NAME}/status"]
    made = stored(api, "dev")
    assert made["spec"] == {"arn": DEV, "username": "dev", "groups": ["view"]}
    assert made["status"] == {"canonicalARN": DEV.lower()}
    assert made["metadata"]["labels"] == {"aws-iam/source": "option"}
    assert made["metadata"]["annotations"] == {"aws-iam/expires": "2027-01-01T00:00:00Z"}


def test_given_an_unchanged_option_when_a_hook_runs_then_it_asks_no_more_than_without_one(
    declare: Declare, deployed: Model, api: FakeCluster
):
    api.forget()
    deployed.hook()
    without = api.requests
    declare(entry("dev"), entry("ops", OPS))
    api.forget()

    deployed.hook()

    assert api.changes == []
    assert api.requests == without


def edit(api: FakeCluster, name: str, **spec: Any) -> None:
    """Change a mapping by hand."""
    stored(api, name)["spec"].update(spec)


BY_HAND: dict[str, Callable[[FakeCluster], Any]] = {
    "username": lambda api: edit(api, "dev", username="root"),
    "groups": lambda api: edit(api, "dev", groups=["system:masters"]),
    "expiry": lambda api: stored(api, "dev")["metadata"]["annotations"].clear(),
    "canonical ARN": lambda api: stored(api, "dev")["status"].update(canonicalARN=OPS.lower()),
    "no status": lambda api: stored(api, "dev").pop("status"),
    "ARN": lambda api: edit(api, "dev", arn=OPS),
    "deleted": lambda api: api.delete(f"{MAPPINGS}/{NAME}"),
    "no label": lambda api: stored(api, "dev")["metadata"].pop("labels"),
    "another label": lambda api: stored(api, "dev")["metadata"].update(
        labels={"aws-iam/source": "grant"}
    ),
}


@pytest.mark.parametrize("by_hand", BY_HAND.values(), ids=BY_HAND)
def test_given_a_mapping_that_is_edited_by_hand_when_a_hook_runs_then_it_is_repaired(
    declare: Declare, deployed: Model, api: FakeCluster, by_hand: Callable[[FakeCluster], None]
):
    declare(entry("dev", groups=["view"], expires="2027-01-01T00:00:00Z"))
    before = json.loads(json.dumps(stored(api, "dev")))
    by_hand(api)

    deployed.hook()

    after = stored(api, "dev")
    # One that is made anew has another uid.
    ours = {"generation": 0, "uid": "", "resourceVersion": ""}
    assert {**after, "metadata": {**after["metadata"], **ours}} == {
        **before,
        "metadata": {**before["metadata"], **ours},
    }


def expire_by_hand(api: FakeCluster, name: str) -> None:
    """Annotate a mapping as one whose access has ended."""
    annotations = stored(api, name)["metadata"]["annotations"]
    annotations["aws-iam/expires"] = "1970-12-31T00:00:00Z"
    api.clock.now += 366 * 86_400


def test_given_a_declared_mapping_that_somebody_lets_end_when_a_hook_runs_then_it_is_repaired(
    declare: Declare, deployed: Model, api: FakeCluster
):
    declare(entry("dev"))
    before = dict(stored(api, "dev")["metadata"]["annotations"])
    expire_by_hand(api, "dev")
    api.forget()

    assert deployed.hook() == ops.ActiveStatus(f"{HEALTHY}, 1 mapping")

    assert api.changes == [f"PATCH {MAPPINGS}/{NAME}"]
    assert stored(api, "dev")["metadata"]["annotations"] == before
    assert "expired at" not in deployed.log()
    assert "ended" not in deployed.peer


def test_given_a_blocked_unit_when_somebody_lets_a_declared_mapping_end_then_it_stays(
    declare: Declare, deployed: Model, api: FakeCluster
):
    declare(entry("dev"))
    expire_by_hand(api, "dev")
    deployed.config["replicas"] = 0

    assert deployed.hook().name == "blocked"
    assert names(api) == ["dev"]
    assert not [alarm for alarm in deployed.units[0].alarms if alarm.expire]

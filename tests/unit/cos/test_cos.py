"""What a collector of metrics is told, by which unit, and when that changes."""

from __future__ import annotations

import lzma

import jsonschema
import ops
import pytest
from tests.fakes.collecting import config, relate, targets
from tests.fakes.juju.model import Model
from tests.fakes.kubernetes.faults import refused
from tests.fakes.kubernetes.paths import ADDRESS, PODS
from tests.fakes.kubernetes.server import FakeCluster

# The key `config` of the provider's unit databag. Source: interfaces/cos_agent/interface/v0/
# schema.py of canonical/charmlibs, whose models take other keys, too.
PARTS = {
    "metrics_alert_rules": {"type": "object"},
    "log_alert_rules": {"type": "object"},
    "dashboards": {"type": "array", "items": {"type": "string"}},
    "metrics_scrape_jobs": {"type": "array", "items": {"type": "object"}},
    "log_slots": {"type": "array", "items": {"type": "string"}},
}
SCHEMA = {"type": "object", "required": [*PARTS], "properties": PARTS}


def test_given_a_collector_then_the_databag_has_what_the_interface_demands(watched: Model):
    assert set(watched.units[0].collector) == {"config"}
    jsonschema.validate(config(watched), SCHEMA)


def test_given_the_same_state_then_the_databag_stays_and_no_dashboard_is_compressed_again(
    watched: Model, api: FakeCluster, monkeypatch: pytest.MonkeyPatch
):
    bags = watched.bags()
    watched.hook()
    api.forget()
    with monkeypatch.context() as patch:
        patch.setattr(lzma, "compress", lambda _: pytest.fail("compressed"))
        assert watched.hook().name == "active"
    assert watched.bags() == bags
    assert api.requests.count(f"GET {PODS}") == 1

    # A refresh of the charm may bring other rules.
    former = config(watched)
    monkeypatch.setattr("cos.fingerprint", lambda _: "new")
    monkeypatch.setattr("cos.dashboard", lambda _: "new")
    watched.hook()
    assert config(watched) == {**former, "dashboards": ["new"]}


def test_given_a_cluster_that_is_down_when_a_hook_runs_then_what_is_published_stays(
    watched: Model, api: FakeCluster
):
    api.add_mapping("a", "arn:aws:iam::111122223333:role/a", expires="2099-01-01T00:00:00Z")
    watched.settle()
    bags = watched.bags()
    api.fail(lambda _: refused(503, "down"))

    assert not isinstance(watched.hook(), ops.ActiveStatus)
    assert watched.bags() == bags


def test_given_two_units_then_only_the_leader_has_anything_scraped_and_the_rest_is_the_same(
    two: Model, api: FakeCluster
):
    api.add_pod("a", podIP="10.1.0.2", phase="Running")
    relate(two)
    leader, follower = config(two, 0), config(two, 1)
    assert targets(two, 0) == ["10.1.0.2:21362", f"{ADDRESS}:443"]
    assert follower == {**leader, "metrics_scrape_jobs": []}

    two.leader = 1
    two.hook(two.on.leader_elected(), unit=1)
    two.hook(unit=0)
    assert targets(two, 0) == []
    assert "10.1.0.2:21362" in targets(two, 1)


def test_given_a_relation_that_juju_has_no_databag_of_yet_then_the_next_hook_publishes(
    deployed: Model, monkeypatch: pytest.MonkeyPatch
):
    write = ops.RelationDataContent.__setitem__

    def refuse(data: ops.RelationDataContent, key: str, value: str) -> None:
        if key == "config":
            raise ops.ModelError("cannot write relation settings: unit not found")
        write(data, key, value)

    with monkeypatch.context() as patch:
        patch.setattr(ops.RelationDataContent, "__setitem__", refuse)
        relate(deployed)
        assert deployed.units[0].collector == {}
        assert isinstance(deployed.units[0].status, ops.ActiveStatus)

    deployed.hook()
    assert targets(deployed) == [f"{ADDRESS}:443"]

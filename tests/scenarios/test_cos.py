"""What a collector of metrics is told: which pods to scrape, by which rules, and a dashboard."""

from __future__ import annotations

import base64
import json
import lzma
import re
from pathlib import Path
from typing import Any

import jsonschema
import ops
import pytest
from tests.fakes.acting import ROLE
from tests.fakes.juju.model import UUID, Easyrsa, Model
from tests.fakes.kubernetes.faults import REFUSALS
from tests.fakes.kubernetes.paths import ADDRESS, PODS
from tests.fakes.kubernetes.server import FakeCluster

ROOT = Path(__file__).parents[2]
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


def relate(model: Model, api: FakeCluster) -> None:
    """Relate a collector to every unit, of which the first has pods."""
    for name, address in (("b", "10.1.0.3"), ("a", "10.1.0.2")):
        api.add_pod(name, podIP=address, phase="Running")
    model.collected = True
    for unit in range(len(model.units)):
        model.hook(model.on.relation_created(model.relation("cos-agent", unit)), unit=unit)
    api.forget()


@pytest.fixture
def watched(deployed: Model, api: FakeCluster) -> Model:
    """A unit that serves with two pods, and that a collector is related to."""
    relate(deployed, api)
    return deployed


def config(model: Model, unit: int = 0) -> dict[str, Any]:
    """What a unit tells its collector."""
    return json.loads(model.units[unit].collector["config"])


def targets(model: Model, unit: int = 0) -> list[str]:
    """The addresses that a unit wants scraped."""
    jobs = config(model, unit)["metrics_scrape_jobs"]
    return [t for job in jobs for static in job["static_configs"] for t in static["targets"]]


def test_given_the_same_state_then_the_databag_stays_and_no_dashboard_is_compressed_again(
    watched: Model, api: FakeCluster, monkeypatch: pytest.MonkeyPatch
):
    jsonschema.validate(config(watched), SCHEMA)
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
    api.add_mapping("a", ROLE, expires="2099-01-01T00:00:00Z")
    watched.settle()
    bags = watched.bags()
    api.fail(REFUSALS["503"])

    assert not isinstance(watched.hook(), ops.ActiveStatus)
    assert watched.bags() == bags


@pytest.mark.parametrize("api_server", ["true", "false"])
def test_given_two_units_then_only_the_leader_has_anything_scraped_and_the_rest_is_the_same(
    two: Model, api: FakeCluster, api_server: str
):
    relate(two, api)
    leader, follower = config(two, 0), config(two, 1)
    scraped = targets(two, 0)
    assert scraped == ["10.1.0.2:21362", "10.1.0.3:21362", f"{ADDRESS}:443"]
    assert follower == {**leader, "metrics_scrape_jobs": []}

    two.units[0].control_plane["api_server_state"] = api_server
    two.leader = 1
    two.hook(two.on.leader_elected(), unit=1)
    two.answer()
    two.settle()
    assert (targets(two, 0), targets(two, 1)) == ([], scraped)


def test_given_a_relation_that_juju_has_no_databag_of_yet_then_the_next_hook_publishes(
    deployed: Model, api: FakeCluster, monkeypatch: pytest.MonkeyPatch
):
    write = ops.RelationDataContent.__setitem__

    def refuse(data: ops.RelationDataContent, key: str, value: str) -> None:
        if key == "config":
            raise ops.ModelError("cannot write relation settings: unit not found")
        write(data, key, value)

    with monkeypatch.context() as patch:
        patch.setattr(ops.RelationDataContent, "__setitem__", refuse)
        relate(deployed, api)
        assert deployed.units[0].collector == {}
        assert isinstance(deployed.units[0].status, ops.ActiveStatus)

    deployed.hook()
    assert targets(deployed)


# What the leader has scraped.


def test_given_a_collector_then_the_leader_has_each_pod_and_the_service_scraped(
    watched: Model, easyrsa: Easyrsa
):
    pods, service = config(watched)["metrics_scrape_jobs"]

    for job in (pods, service):
        assert (job["scheme"], job["metrics_path"]) == ("https", "/metrics")
        assert job["tls_config"] == {
            "ca": easyrsa.authority.certificate,
            "server_name": "aws-iam-authenticator.kube-system.svc",
        }
    where = {"namespace": "kube-system", "service": "aws-iam-authenticator"}
    assert pods["static_configs"] == [
        {"targets": ["10.1.0.2:21362"], "labels": {**where, "pod": "a"}},
        {"targets": ["10.1.0.3:21362"], "labels": {**where, "pod": "b"}},
    ]
    assert service["static_configs"] == [{"targets": [f"{ADDRESS}:443"], "labels": where}]
    # A scrape of the Service meets any pod, so its counters would jump.
    assert service["metric_relabel_configs"] == [
        {"source_labels": ["__name__"], "regex": ".+", "action": "drop"}
    ]
    assert pods["job_name"] != service["job_name"]


def test_given_pods_that_change_then_those_that_run_are_scraped(watched: Model, api: FakeCluster):
    api.add_pod("a", podIP="fd00::2", phase="Running")
    api.add_pod("c", podIP="10.1.0.4", phase="Failed")
    api.add_pod("d", podIP="10.1.0.5", phase="Running")
    api.objects[f"{PODS}/d"]["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    api.add_pod("e", phase="Pending")
    watched.hook()

    assert targets(watched) == ["[fd00::2]:21362", "10.1.0.3:21362", f"{ADDRESS}:443"]


REGIONS = (
    "af-south-1 ap-east-2 ap-northeast-3 ap-south-1 ap-southeast-7 ca-central-1 ca-west-1 "
    "cn-northwest-1 eu-central-2 eu-isoe-west-1 eu-north-1 eusc-de-east-1 il-central-1 me-south-1 "
    "mx-central-1 sa-east-1 us-east-1 us-gov-west-1 us-iso-west-1 us-isob-east-1 us-isof-south-1"
)
MADE_UP = ("xx-made-1", "us-east-10", "us-east-1-a", "a", "us-east-1.evil", "us--1", "Global")


def test_given_metrics_then_only_series_of_regions_are_kept_and_these_are_below_the_limit(
    watched: Model,
):
    pods, _ = config(watched)["metrics_scrape_jobs"]
    (rule,) = pods["metric_relabel_configs"]

    # Prometheus' expressions match whole values; a series without the label has an empty one.
    assert (rule["source_labels"], rule["action"]) == (["StsRegion"], "keep")
    assert all(re.fullmatch(rule["regex"], name) for name in ("", "global", *REGIONS.split()))
    assert not any(re.fullmatch(rule["regex"], name) for name in MADE_UP)

    # A scrape above its limit fails, and somebody would be woken for a pod that serves.
    words = sorted({word for name in REGIONS.split() for word in name.split("-")[:-1]})
    words += ["northeast", "southwest", "west", "north"]
    places = [*words, *(f"{a}-{b}" for a in words for b in words)]
    names = {f"{a}-{b}-{n}" for a in places for b in words for n in range(11)}
    likely = [name for name in names if re.fullmatch(rule["regex"], name)]
    assert len(likely) < pods["sample_limit"] / 2
    assert pods["sample_limit"] <= 5000


# The alert rules, and the dashboard.

SELECTOR = f'juju_model="k8s",juju_model_uuid="{UUID}",juju_application="aws-iam"'
RUNBOOKS = "https://github.com/charmed-kubernetes/charm-aws-iam/blob/main/docs/how-to/alerts.md#"
BEGUN = re.compile(
    r"^## (Aws\w+)\n\n(Critical|Warning)(?:, after (\d+) minutes)?[.,]", re.MULTILINE
)


def test_given_a_collector_then_rules_carry_and_select_the_labels_of_the_application(
    watched: Model,
):
    (group,) = config(watched)["metrics_alert_rules"]["groups"]

    assert group["name"] == f"k8s_{UUID[:8]}_aws_iam_aws_iam_rules"
    for rule in group["rules"]:
        assert rule["labels"] == {
            "severity": rule["labels"]["severity"],
            "juju_model": "k8s",
            "juju_model_uuid": UUID,
            "juju_application": "aws-iam",
            "juju_charm": "aws-iam",
        }
        assert rule["expr"].count("{") == rule["expr"].count(SELECTOR) > 0
        assert "%%" not in rule["expr"]

    # A rule's runbook is a section that begins with its severity.
    page = (ROOT / "docs/how-to/alerts.md").read_text()
    begun = {
        name: (f"{RUNBOOKS}{name.lower()}", severity.lower(), minutes)
        for name, severity, minutes in BEGUN.findall(page)
    }
    assert begun == {
        rule["alert"]: (
            rule["annotations"]["runbook_url"],
            rule["labels"]["severity"],
            rule.get("for", "").removesuffix("m"),
        )
        for rule in group["rules"]
    }
    assert len(begun) == page.count("\n## Aws")


@pytest.fixture
def dashboard(watched: Model) -> dict[str, Any]:
    """The dashboard as Grafana gets it."""
    (encoded,) = config(watched)["dashboards"]
    return json.loads(lzma.decompress(base64.b64decode(encoded)))


def test_given_the_dashboard_then_it_has_the_uid_and_the_tag_of_its_charm_and_fills_the_width(
    dashboard: dict[str, Any],
):
    # cosl 1.11.3: DashboardPath40UID.generate("aws-iam", "src/grafana_dashboards/aws-iam.json").
    own = {"uid": "0ece30a0109b452a18554e2bc7fdaf1cfcc7774e", "tags": ["charm: aws-iam"]}
    file = json.loads((ROOT / "src/grafana_dashboards/aws-iam.json").read_text())
    assert dashboard == {**file, **own}

    cells = [
        (x, y)
        for where in (panel["gridPos"] for panel in dashboard["panels"])
        for x in range(where["x"], where["x"] + where["w"])
        for y in range(where["y"], where["y"] + where["h"])
    ]
    assert len(set(cells)) == len(cells) == 24 * (1 + max(y for _, y in cells))
    assert {x for x, _ in cells} == set(range(24))


def test_given_the_dashboard_then_its_panels_ask_for_the_topology_and_its_numbers_for_now(
    dashboard: dict[str, Any],
):
    # Grafana's charm adds its own variables; one of ours of the same name would be there twice.
    assert dashboard["templating"] == {"list": []}
    names = ("juju_model", "juju_model_uuid", "juju_application")
    variables = ",".join(f'{name}=~"${name}"' for name in names)
    for panel in dashboard["panels"]:
        for target in panel["targets"]:
            assert target["datasource"] == {"type": "prometheus", "uid": "${prometheusds}"}
            assert target["expr"].count("{") == target["expr"].count(variables)
        if panel["type"] != "stat":
            continue
        # Over a range, the last number stays there for hours after the collector has died.
        assert panel["options"]["reduceOptions"]["calcs"] == ["last"]
        assert panel["fieldConfig"]["defaults"]["noValue"] == "no data"
        for target in panel["targets"]:
            assert (target["instant"], target["range"]) == (True, False)
            # Without metrics, nobody knows that there were no logins.
            assert "vector(" not in target["expr"]

"""What a collector of metrics is told, by which unit, and when that changes."""

from __future__ import annotations

import base64
import datetime
import json
import lzma
import re
from pathlib import Path
from typing import Any

import jsonschema
import ops
import pytest
from cryptography import x509
from tests.fakes.certificates.authority import Authority
from tests.fakes.juju.model import OWNER, UUID, Easyrsa, Model
from tests.fakes.kubernetes.faults import refused
from tests.fakes.kubernetes.paths import ADDRESS, MAPPINGS, PODS
from tests.fakes.kubernetes.server import FakeCluster

from access import mappings
from certificates.keypair import KeyPair
from cos import facts, rules

ROOT = Path(__file__).parents[3]
SELECTOR = f'juju_model="k8s",juju_model_uuid="{UUID}",juju_application="aws-iam"'
RUNBOOKS = "https://github.com/charmed-kubernetes/charm-aws-iam/blob/main/"
DAY = 24 * 3600
ROLE = "arn:aws:iam::111122223333:role/a"
REPORT = mappings.MappingReport(1, {"a": "wrong"}, {})
# The key `config` of the provider's unit databag. Source: interfaces/cos_agent/interface/v0/
# schema.py of canonical/charmlibs, whose models take other keys, too.
SCHEMA = {
    "type": "object",
    "required": [
        "metrics_alert_rules",
        "log_alert_rules",
        "dashboards",
        "metrics_scrape_jobs",
        "log_slots",
    ],
    "properties": {
        "metrics_alert_rules": {"type": "object"},
        "log_alert_rules": {"type": "object"},
        "dashboards": {"type": "array", "items": {"type": "string"}},
        "metrics_scrape_jobs": {"type": "array", "items": {"type": "object"}},
        "log_slots": {"type": "array", "items": {"type": "string"}},
    },
}


@pytest.fixture
def watched(deployed: Model, api: FakeCluster) -> Model:
    """A unit that serves with two pods, and that a collector is related to."""
    api.add_pod("b", podIP="10.1.0.3", phase="Running")
    api.add_pod("a", podIP="10.1.0.2", phase="Running")
    relate(deployed)
    api.forget()
    return deployed


def relate(model: Model) -> None:
    """Relate a collector to every unit."""
    model.collected = True
    for unit in range(len(model.units)):
        model.hook(model.on.relation_created(model.relation("cos-agent", unit)), unit=unit)


def config(model: Model, unit: int = 0) -> dict[str, Any]:
    """What a unit tells its collector."""
    return json.loads(model.units[unit].collector["config"])


def targets(model: Model, unit: int = 0) -> list[str]:
    """The addresses that a unit wants scraped."""
    jobs = config(model, unit)["metrics_scrape_jobs"]
    return [t for job in jobs for static in job["static_configs"] for t in static["targets"]]


def expressions(model: Model, unit: int = 0) -> dict[str, str]:
    """The rules that a unit publishes: their expressions by their names."""
    groups = config(model, unit)["metrics_alert_rules"]["groups"]
    return {rule["alert"]: rule["expr"] for group in groups for rule in group["rules"]}


def test_given_a_collector_then_the_databag_has_what_the_interface_demands(watched: Model):
    assert set(watched.units[0].collector) == {"config"}
    jsonschema.validate(config(watched), SCHEMA)


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


REGIONS = (
    "af-south-1 ap-east-2 ap-northeast-3 ap-south-1 ap-southeast-7 ca-central-1 ca-west-1 "
    "cn-northwest-1 eu-central-2 eu-isoe-west-1 eu-north-1 eusc-de-east-1 il-central-1 me-south-1 "
    "mx-central-1 sa-east-1 us-east-1 us-gov-west-1 us-iso-west-1 us-isob-east-1 us-isof-south-1"
)


def test_given_metrics_then_only_regions_that_exist_and_series_without_one_are_kept(
    watched: Model,
):
    pods, _ = config(watched)["metrics_scrape_jobs"]
    (rule,) = pods["metric_relabel_configs"]
    made_up = ("xx-made-1", "us-east-10", "us-east-1-a", "a", "us-east-1.evil", "us--1", "Global")

    # Prometheus' expressions match whole values; a series without the label has an empty one.
    assert (rule["source_labels"], rule["action"]) == (["StsRegion"], "keep")
    assert all(re.fullmatch(rule["regex"], name) for name in ("", "global", *REGIONS.split()))
    assert not any(re.fullmatch(rule["regex"], name) for name in made_up)


def test_given_all_names_that_look_like_regions_then_a_scrape_stays_below_its_limit(
    watched: Model,
):
    pods, _ = config(watched)["metrics_scrape_jobs"]
    (rule,) = pods["metric_relabel_configs"]
    words = sorted({word for name in REGIONS.split() for word in name.split("-")[:-1]})
    words += ["northeast", "southwest", "west", "north"]
    places = [*words, *(f"{a}-{b}" for a in words for b in words)]
    names = {f"{a}-{b}-{n}" for a in places for b in words for n in range(11)}
    likely = [name for name in names if re.fullmatch(rule["regex"], name)]

    # A scrape above its limit fails, and somebody would be woken for a pod that serves.
    assert len(likely) < pods["sample_limit"] / 2
    assert pods["sample_limit"] <= 5000


def test_given_pods_of_ipv6_then_their_addresses_stand_in_brackets(
    watched: Model, api: FakeCluster
):
    api.add_pod("a", podIP="fd00::2", phase="Running")
    watched.hook()

    assert "[fd00::2]:21362" in targets(watched)


def test_given_pods_that_end_or_have_no_address_then_they_are_not_scraped(
    watched: Model, api: FakeCluster
):
    api.add_pod("a", phase="Pending")
    api.add_pod("c", podIP="10.1.0.4", phase="Failed")
    api.add_pod("d", podIP="10.1.0.5", phase="Running")
    api.objects[f"{PODS}/d"]["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    watched.hook()

    assert targets(watched) == ["10.1.0.3:21362", f"{ADDRESS}:443"]


def test_given_somebody_elses_pod_with_the_label_then_it_is_not_scraped(
    watched: Model, api: FakeCluster
):
    before = targets(watched)
    api.add_stranger("intruder", podIP="10.1.0.9", phase="Running")
    watched.hook()

    assert targets(watched) == before


def test_given_no_pods_then_only_the_service_is_scraped(deployed: Model):
    relate(deployed)

    assert targets(deployed) == [f"{ADDRESS}:443"]


def test_given_the_same_state_when_a_hook_runs_then_the_databag_stays_byte_for_byte(
    watched: Model, api: FakeCluster
):
    bags = watched.bags()
    watched.hook()

    assert watched.bags() == bags
    assert api.requests.count(f"GET {PODS}") == 1


def test_given_pods_that_moved_when_a_hook_runs_then_their_new_addresses_are_scraped(
    watched: Model, api: FakeCluster
):
    api.delete(f"{PODS}/a")
    api.add_pod("c", podIP="10.1.0.9", phase="Running")
    watched.hook()

    assert targets(watched) == ["10.1.0.3:21362", "10.1.0.9:21362", f"{ADDRESS}:443"]


def test_given_a_cluster_that_is_down_when_a_hook_runs_then_what_is_published_stays(
    watched: Model, api: FakeCluster
):
    bags = watched.bags()
    api.fail(lambda _: refused(503, "down"))

    assert not isinstance(watched.hook(), ops.ActiveStatus)
    assert watched.bags() == bags


def test_given_no_collector_when_a_hook_runs_then_no_fact_is_published(deployed: Model):
    assert deployed.units[0].collector == {}
    assert "facts" not in deployed.peer


def test_given_a_collector_when_it_goes_then_the_units_forget_it(watched: Model):
    assert watched.peer["facts"]
    watched.hook(watched.broken("cos-agent"))

    assert "facts" not in watched.peer


def test_given_two_units_then_only_the_leader_has_anything_scraped_and_the_rest_is_the_same(
    two: Model, api: FakeCluster
):
    api.add_pod("a", podIP="10.1.0.2", phase="Running")
    relate(two)
    leader, follower = config(two, 0), config(two, 1)

    assert targets(two, 0) == ["10.1.0.2:21362", f"{ADDRESS}:443"]
    assert follower == {**leader, "metrics_scrape_jobs": []}


def test_given_another_leader_when_hooks_run_then_the_jobs_are_its_own(
    two: Model, api: FakeCluster
):
    api.add_pod("a", podIP="10.1.0.2", phase="Running")
    relate(two)
    two.leader = 1
    two.hook(two.on.leader_elected(), unit=1)
    two.hook(unit=0)

    assert targets(two, 0) == []
    assert "10.1.0.2:21362" in targets(two, 1)


def test_given_a_leader_that_knows_of_no_collector_then_the_others_ask_juju_for_none(two: Model):
    two.collected = True
    two.hook(unit=1)

    assert two.units[1].collector == {}


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


# The rules.


def test_given_a_collector_then_rules_and_groups_carry_the_labels_of_the_application(
    watched: Model,
):
    (group,) = config(watched)["metrics_alert_rules"]["groups"]

    assert group["name"] == f"k8s_{UUID[:8]}_aws_iam_aws_iam_rules"
    for rule in group["rules"]:
        severity = rule["labels"].pop("severity")
        assert severity in ("critical", "warning")
        assert rule["labels"] == {
            "juju_model": "k8s",
            "juju_model_uuid": UUID,
            "juju_application": "aws-iam",
            "juju_charm": "aws-iam",
        }


def test_given_a_collector_then_rules_of_metrics_select_those_of_the_application(
    watched: Model,
):
    for expression in expressions(watched).values():
        metrics = expression.count("{")
        assert metrics == expression.count(SELECTOR)
        assert metrics or expression.startswith("vector(")
        assert "%%" not in expression


def test_given_a_rule_then_its_runbook_is_a_page_of_the_docs(watched: Model, api: FakeCluster):
    api.add_mapping("a", ROLE, expires="2099-01-01T00:00:00Z")
    watched.settle()
    (group,) = config(watched)["metrics_alert_rules"]["groups"]
    urls = [rule["annotations"]["runbook_url"] for rule in group["rules"]]
    pages = sorted((ROOT / "docs/how-to/alerts").glob("*.md"))

    assert sorted(urls) == [f"{RUNBOOKS}{page.relative_to(ROOT)}" for page in pages]
    for rule in group["rules"]:
        page = ROOT / rule["annotations"]["runbook_url"].removeprefix(RUNBOOKS)
        assert page.read_text().startswith(f"# {rule['alert']}\n")


def test_given_a_certificate_then_its_rule_fires_from_a_twentieth_of_its_life_before_its_end(
    deployed: Model, easyrsa: Easyrsa
):
    easyrsa.days = (-1, 39)
    easyrsa.reissue()
    deployed.settle()
    relate(deployed)
    known = facts.load(deployed.peer["facts"])

    assert known
    assert known.ends - known.starts == 40 * DAY
    expected = f"vector({known.ends}) - time() < {2 * DAY}"
    assert expressions(deployed)["AwsIamCertificateEnds"] == expected


def test_given_a_long_certificate_then_its_rule_fires_a_week_before_its_end(watched: Model):
    known = facts.load(watched.peer["facts"])

    assert known
    until = datetime.datetime.fromtimestamp(known.ends, datetime.timezone.utc)
    assert (until - datetime.datetime.now(datetime.timezone.utc)).days in (364, 365)
    expected = f"vector({known.ends}) - time() < {7 * DAY}"
    assert expressions(watched)["AwsIamCertificateEnds"] == expected


def test_given_a_new_certificate_when_it_is_served_then_the_rule_has_its_end(
    watched: Model, easyrsa: Easyrsa
):
    before = expressions(watched)["AwsIamCertificateEnds"]
    easyrsa.days = (-1, 200)
    easyrsa.reissue()
    watched.settle()

    assert expressions(watched)["AwsIamCertificateEnds"] != before


def test_given_a_certificate_that_cannot_be_read_then_its_rule_alone_is_left_out():
    known = facts.learn("", KeyPair("-", "-", "-"), REPORT, 2)
    unreadable, readable = (
        {
            rule["alert"]
            for group in rules.render(OWNER, "aws-iam", which)["groups"]
            for rule in group["rules"]
        }
        for which in (known, facts.Facts("-", 1, 2, replicas=2))
    )

    assert readable - unreadable == {"AwsIamCertificateEnds"}
    assert known.to_correct == 1


def test_given_an_authority_that_ends_before_the_certificate_then_its_end_counts():
    authority = Authority("short", days=(-1, 20))
    certificate, key = authority.issue(["a.example.com"], days=(-1, 300))
    known = facts.learn("", KeyPair(certificate, key, authority.certificate), REPORT, 2)

    end = x509.load_pem_x509_certificate(authority.certificate.encode()).not_valid_after_utc
    assert known.ends == end.timestamp()


def test_given_mappings_that_never_work_then_every_unit_publishes_how_many(
    two: Model, api: FakeCluster
):
    relate(two)
    assert expressions(two, 1)["AwsIamMappingNeverWorks"] == "vector(0) > 0"
    api.add_mapping("a", "arn:aws:iam::111122223333:role/team/a")
    api.add_mapping("b", "nonsense")
    two.settle()

    assert expressions(two, 0)["AwsIamMappingNeverWorks"] == "vector(2) > 0"
    assert expressions(two, 1) == expressions(two, 0)


def test_given_replicas_then_the_rule_fires_while_fewer_are_scraped(watched: Model):
    watched.config["replicas"] = 3
    watched.settle()

    expression = expressions(watched)["AwsIamPodMissing"]
    assert expression.endswith(" < 3")


def test_given_access_that_ends_then_the_rule_fires_a_quarter_of_an_hour_after_the_first_end(
    watched: Model, api: FakeCluster
):
    assert "AwsIamAccessOutlivesItsEnd" not in expressions(watched)
    for name, end in (("a", "2099-01-01T00:00:00Z"), ("b", "2098-01-01T00:00:00Z")):
        api.add_mapping(name, f"arn:aws:iam::111122223333:role/{name}", expires=end)
    watched.settle()

    end = datetime.datetime(2098, 1, 1, tzinfo=datetime.timezone.utc).timestamp()
    expected = f"vector({end:.0f}) < time() - 900"
    assert expressions(watched)["AwsIamAccessOutlivesItsEnd"] == expected


def test_given_access_that_ended_while_the_unit_waits_then_its_rule_goes_and_the_jobs_stay(
    watched: Model, api: FakeCluster, easyrsa: Easyrsa
):
    api.add_mapping("a", ROLE, expires="2099-01-01T00:00:00Z")
    watched.settle()
    assert "AwsIamAccessOutlivesItsEnd" in expressions(watched)
    before = targets(watched)
    api.delete(f"{MAPPINGS}/a")
    watched.config["replicas"] = 0
    assert isinstance(watched.hook(), ops.BlockedStatus)

    assert "AwsIamAccessOutlivesItsEnd" not in expressions(watched)
    assert targets(watched) == before


def test_given_a_cluster_that_is_down_then_the_rule_of_an_end_stays(
    watched: Model, api: FakeCluster
):
    api.add_mapping("a", ROLE, expires="2099-01-01T00:00:00Z")
    watched.settle()
    before = expressions(watched)["AwsIamAccessOutlivesItsEnd"]
    api.fail(lambda _: refused(503, "down"))
    watched.hook()

    assert expressions(watched)["AwsIamAccessOutlivesItsEnd"] == before


@pytest.mark.parametrize(
    ("group", "expires", "count"),
    [
        ("system:masters", "", 1),
        ("system:{{SessionName}}", "", 1),
        ("system:masters", "never", 1),
        ("system:masters", "2099-01-01T00:00:00Z", 0),
        ("system:basic-user", "", 0),
    ],
)
def test_given_administrators_then_the_rule_has_how_many_mappings_of_theirs_never_end(
    watched: Model, api: FakeCluster, group: str, expires: str, count: int
):
    api.add_mapping("a", ROLE, groups=["view", group], expires=expires)
    watched.settle()

    assert expressions(watched)["AwsIamLastingAdministrator"] == f"vector({count}) > 0"


@pytest.mark.parametrize(
    "text", ["", "-", "a b c d", "a 1 2 3", "a 1 2 3 4 5", "a 1 2 3 4 5 6 7", "a 1 2 3 4 5 -"]
)
def test_given_facts_of_another_version_then_they_are_not_read(text: str):
    assert facts.load(text) is None


# The dashboard.


def dashboard(model: Model) -> dict[str, Any]:
    """The dashboard as Grafana gets it."""
    (encoded,) = config(model)["dashboards"]
    return json.loads(lzma.decompress(base64.b64decode(encoded)))


def test_given_the_dashboard_then_it_has_the_uid_and_the_tag_of_its_charm_and_file(
    watched: Model,
):
    found = dashboard(watched)

    # cosl 1.11.3: DashboardPath40UID.generate("aws-iam", "src/grafana_dashboards/aws-iam.json").
    assert found["uid"] == "0ece30a0109b452a18554e2bc7fdaf1cfcc7774e"
    assert found["tags"] == ["charm: aws-iam"]
    file = json.loads((ROOT / "src/grafana_dashboards/aws-iam.json").read_text())
    assert found == {**file, "uid": found["uid"], "tags": found["tags"]}


def test_given_the_dashboard_then_its_panels_ask_the_collectors_prometheus_for_the_topology(
    watched: Model,
):
    found = dashboard(watched)
    variables = (
        'juju_model=~"$juju_model",juju_model_uuid=~"$juju_model_uuid",'
        'juju_application=~"$juju_application"'
    )

    # Grafana's charm adds its own variables; one of ours of the same name would be there twice.
    assert found["templating"] == {"list": []}
    for panel in found["panels"]:
        for target in panel["targets"]:
            assert target["datasource"] == {"type": "prometheus", "uid": "${prometheusds}"}
            assert target["expr"].count("{") == target["expr"].count(variables)


def test_given_the_dashboard_then_its_numbers_are_those_of_now(watched: Model):
    stats = [panel for panel in dashboard(watched)["panels"] if panel["type"] == "stat"]

    # Over a range, the last number stays there for hours after the collector has died.
    assert stats
    for panel in stats:
        assert panel["options"]["reduceOptions"]["calcs"] == ["last"]
        assert panel["fieldConfig"]["defaults"]["noValue"] == "no data"
        for target in panel["targets"]:
            assert (target["instant"], target["range"]) == (True, False)
            # Without metrics, nobody knows that there were no logins.
            assert "vector(" not in target["expr"]


def test_given_the_dashboard_then_its_panels_fill_the_width_and_do_not_overlap(watched: Model):
    cells = [
        (x, y)
        for panel in dashboard(watched)["panels"]
        for where in [panel["gridPos"]]
        for x in range(where["x"], where["x"] + where["w"])
        for y in range(where["y"], where["y"] + where["h"])
    ]

    assert len(set(cells)) == len(cells)
    assert {x for x, _ in cells} == set(range(24))
    assert len(cells) == 24 * (1 + max(y for _, y in cells))

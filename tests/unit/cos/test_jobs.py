"""What the leader has scraped: each pod, and the Service."""

from __future__ import annotations

import re

from tests.fakes.collecting import config, targets
from tests.fakes.juju.model import Easyrsa, Model
from tests.fakes.kubernetes.paths import ADDRESS, PODS
from tests.fakes.kubernetes.server import FakeCluster


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


def test_given_metrics_then_only_series_of_regions_are_kept_and_these_are_below_the_limit(
    watched: Model,
):
    pods, _ = config(watched)["metrics_scrape_jobs"]
    (rule,) = pods["metric_relabel_configs"]
    made_up = ("xx-made-1", "us-east-10", "us-east-1-a", "a", "us-east-1.evil", "us--1", "Global")

    # Prometheus' expressions match whole values; a series without the label has an empty one.
    assert (rule["source_labels"], rule["action"]) == (["StsRegion"], "keep")
    assert all(re.fullmatch(rule["regex"], name) for name in ("", "global", *REGIONS.split()))
    assert not any(re.fullmatch(rule["regex"], name) for name in made_up)

    # A scrape above its limit fails, and somebody would be woken for a pod that serves.
    words = sorted({word for name in REGIONS.split() for word in name.split("-")[:-1]})
    words += ["northeast", "southwest", "west", "north"]
    places = [*words, *(f"{a}-{b}" for a in words for b in words)]
    names = {f"{a}-{b}-{n}" for a in places for b in words for n in range(11)}
    likely = [name for name in names if re.fullmatch(rule["regex"], name)]
    assert len(likely) < pods["sample_limit"] / 2
    assert pods["sample_limit"] <= 5000


def test_given_pods_that_change_then_those_that_run_are_scraped(watched: Model, api: FakeCluster):
    api.add_pod("a", podIP="fd00::2", phase="Running")
    api.add_pod("c", podIP="10.1.0.4", phase="Failed")
    api.add_pod("d", podIP="10.1.0.5", phase="Running")
    api.objects[f"{PODS}/d"]["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    api.add_pod("e", phase="Pending")
    watched.hook()
    assert targets(watched) == ["[fd00::2]:21362", "10.1.0.3:21362", f"{ADDRESS}:443"]

    api.delete(f"{PODS}/a")
    api.add_pod("f", podIP="10.1.0.9", phase="Running")
    watched.hook()
    assert targets(watched) == ["10.1.0.3:21362", "10.1.0.9:21362", f"{ADDRESS}:443"]

"""What a collector gets from a real unit: jobs that work, and metrics that there are.

The commands are those of docs/how-to/alerts.md.
"""

from __future__ import annotations

import base64
import json
import lzma
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jubilant
import pytest
from tests.integration.helpers import (
    bad_tokens,
    bundle,
    how_to,
    juju_status,
    kubernetes,
    logins,
    proxy,
    scraping,
    settled,
    testbed_only,
    units,
)
from tests.integration.helpers.kubernetes import DEPLOYMENT, KUBE_SYSTEM, Cluster

PAGE = "alerts.md"
METRICS = Path(__file__).parents[4] / "docs/reference/metrics.md"
# Prometheus and Grafana make these themselves.
NOT_SCRAPED = {"up"}
_SELECTOR = re.compile(r"([a-z_]+)\{([^}]*)\}")
_LABEL = re.compile(r"(\w+)(?:=~|!=|=)\"")


@pytest.fixture(scope="module")
def watched(deployed: jubilant.Juju, cluster: Cluster) -> Iterator[jubilant.Juju]:
    """Yield the model with a collector, and take that away again."""
    testbed_only.require("a collector of the store needs a COS to be active")
    testbed_only.require_juju_3(deployed, "Juju 4.1 gives aws-iam collectors without end")
    settled.end_former_pods(deployed, cluster)
    deployed.deploy(scraping.COLLECTOR, base=bundle.BASE)
    run(deployed, "Connect it")
    yield deployed
    deployed.remove_application(scraping.COLLECTOR)
    deployed.wait(lambda status: scraping.COLLECTOR not in status.apps)
    juju_status.wait_until_active(deployed)


def run(juju: jubilant.Juju, heading: str) -> None:
    """Run the commands below a heading of the page."""
    for command in how_to.shown(PAGE, heading):
        how_to.run(juju, command)
    juju_status.wait_until_active(juju)


def targets(juju: jubilant.Juju) -> list[str]:
    jobs = scraping.published(juju)["metrics_scrape_jobs"]
    return [t for job in jobs for static in job["static_configs"] for t in static["targets"]]


def expressions(found: dict[str, Any]) -> list[str]:
    """Return the queries of all rules and panels."""
    (encoded,) = found["dashboards"]
    panels = json.loads(lzma.decompress(base64.b64decode(encoded)))["panels"]
    groups = found["metrics_alert_rules"]["groups"]
    return [
        *(rule["expr"] for group in groups for rule in group["rules"]),
        *(target["expr"] for panel in panels for target in panel["targets"]),
    ]


def make_every_event(cluster: Cluster) -> None:
    """Have each labelled series begin: a login, a throttled one, and one without a way to AWS."""
    assert logins.wait_for_login(cluster) == "knobby"
    # API servers remember an answer, so each token is another person's.
    throttled, unmapped, lost = (
        bad_tokens.signed(bad_tokens.credentials(user), kubernetes.cluster_id(cluster.person))
        for user in ("swamped", "mallory", "knobby")
    )
    assert bad_tokens.log_in(cluster, throttled) == 401
    assert bad_tokens.log_in(cluster, unmapped) == 401
    with proxy.no_way_to_aws(cluster):
        assert bad_tokens.log_in(cluster, lost) == 401


def test_given_the_page_when_it_is_followed_then_each_pod_and_the_service_are_scraped(
    watched: jubilant.Juju, cluster: Cluster
) -> None:
    pods = sorted(cluster.pods(), key=lambda pod: pod["metadata"]["name"])

    wanted = [f"{pod['status']['podIP']}:21362" for pod in pods]
    assert targets(watched) == [*wanted, f"{cluster.address()}:443"]


def test_given_the_jobs_when_a_machine_does_as_they_say_then_there_are_all_metrics_and_labels(
    watched: jubilant.Juju, cluster: Cluster
) -> None:
    make_every_event(cluster)
    found = scraping.published(watched)

    answers = scraping.run(watched, units.principals(watched)[0], found["metrics_scrape_jobs"])

    assert len(answers) == 3
    there = scraping.labels("\n".join(answers))
    used = [
        (metric, set(_LABEL.findall(selector)))
        for expression in expressions(found)
        for metric, selector in _SELECTOR.findall(expression)
        if metric not in NOT_SCRAPED
    ]
    assert {metric for metric, _ in used} >= {
        "aws_iam_authenticator_authenticate_latency_seconds_bucket",
        "aws_iam_authenticator_sts_connection_failures_total",
        "aws_iam_authenticator_sts_responses_total",
        "aws_iam_authenticator_sts_throttling_total",
    }
    # The collector adds the labels of the job and of Juju.
    added = {"service", "pod", "juju_model", "juju_model_uuid", "juju_application"}
    assert [(m, labels) for m, labels in used if not labels - added <= there.get(m, set())] == []
    assert [metric for metric, _ in used if metric not in there] == []
    grouped = [
        (label.strip(), metric)
        for expression in expressions(found)
        for labels, metric in re.findall(r"by \(([^)]*)\).*?([a-z_]+)\{", expression, re.DOTALL)
        for label in labels.split(",")
    ]
    assert {label for label, _ in grouped} == {"StsRegion", "ResponseCode", "result", "le"}
    assert [pair for pair in grouped if pair[0] not in there[pair[1]]] == []
    listed = re.findall(r"^- `(\w+)`", METRICS.read_text(), re.MULTILINE)
    assert [m for m in listed if not {m, f"{m}_count"} & there.keys()] == []


def test_given_a_pod_that_is_replaced_when_the_leader_has_a_hook_then_the_jobs_follow(
    watched: jubilant.Juju, cluster: Cluster
) -> None:
    before = targets(watched)
    pod = cluster.pods()[0]
    at_once = ("--force", "--grace-period=0")
    cluster.kubectl("delete", *KUBE_SYSTEM, "pod", pod["metadata"]["name"], *at_once)
    cluster.kubectl("rollout", "status", *DEPLOYMENT, "--timeout=120s")
    juju_status.run_update_status(watched, units.leader(watched))
    juju_status.wait_until_active(watched)

    after = targets(watched)
    assert f"{pod['status']['podIP']}:21362" in before
    assert f"{pod['status']['podIP']}:21362" not in after
    assert len(after) == len(before)


def test_given_the_page_when_it_is_gone_back_then_the_collector_has_nothing_of_aws_iam(
    watched: jubilant.Juju,
) -> None:
    run(watched, "Go back")

    found = units.relations(watched, "aws-iam/0")
    assert "cos-agent" not in [relation["endpoint"] for relation in found]
    assert testbed_only.exit_codes(watched, "aws-iam/0") == {0}

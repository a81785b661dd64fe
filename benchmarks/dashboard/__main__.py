"""``python -m benchmarks.dashboard FILE``: log in for some minutes, and draw what is published.

Runs in a lab: ``scripts/lab run -- python -m benchmarks.dashboard docs/dashboard.svg``. A real
Prometheus on the control plane's machine takes the jobs and the rules as aws-iam publishes them,
and answers the queries of the dashboard. Grafana is not there, so this draws the panels itself.
"""

from __future__ import annotations

import base64
import itertools
import json
import lzma
import re
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx2
import jubilant
from rich.console import Console
from tests.integration.helpers import (
    arns,
    bad_tokens,
    bundle,
    how_to,
    juju_status,
    kubernetes,
    logins,
    proxy,
    scraping,
)
from tests.integration.helpers.kubernetes import Cluster

from benchmarks.dashboard import chart
from testbed.programs import build
from testbed.programs.modules import Module

MODULE = Path(__file__).parents[2] / "tests/conformance/prometheus"
MACHINE = "kubernetes-control-plane/0"
FOLDER = "/home/ubuntu/prometheus"
PORT = 9090
# Some minutes stand for hours, so everything is more frequent than in a COS.
SCRAPE_SECONDS = 2
RATE_INTERVAL = "20s"
LASTS_SECONDS = 300
# From when to when the pods are cut off from AWS, in seconds after the start.
OUTAGE = range(180, 220)
REGIONS = ("us-east-1", "eu-west-1")
# A mapping lets mallory in, and none lets knobby in. STS throttles swamped.
USERS = ("mallory", "mallory", "mallory", "knobby", "mallory", "mallory", "swamped", "mallory")
VARIABLES = {
    "$juju_model_uuid": ".*",
    "$juju_model": ".*",
    "$juju_application": ".*",
    "$__rate_interval": RATE_INTERVAL,
}
NOTE = (
    "Drawn by python -m benchmarks.dashboard from a real Prometheus, which scraped a real "
    f"authenticator in the testbed every {SCRAPE_SECONDS} s. Rates are over {RATE_INTERVAL}."
)


def main() -> None:
    """Deploy, log in for some minutes, and write the picture."""
    file = Path(sys.argv[1])
    try:
        prometheus = build.built([Module(MODULE)]) / "prometheus"
    except build.NotBuilt as error:
        sys.exit(f"benchmarks.dashboard: {error}")
    console = Console(highlight=False)
    juju = jubilant.Juju(model="default")
    console.print("deploying Charmed Kubernetes 1.28 with aws-iam and a collector …")
    with tempfile.TemporaryDirectory() as folder:
        cluster = _deploy(juju, Path(folder))
        found = scraping.published(juju)
        started = _start_prometheus(juju, found, Path(folder), prometheus)
        console.print(f"people log in for {LASTS_SECONDS} s …")
        _log_in(cluster)
    dashboard = json.loads(lzma.decompress(base64.b64decode(found["dashboards"][0])))
    address = juju.status().get_units("kubernetes-control-plane")[MACHINE].public_address
    lines = {
        panel["id"]: list(_lines(panel, f"http://{address}:{PORT}", started))
        for panel in dashboard["panels"]
    }
    file.write_text(chart.draw(dashboard, lines, NOTE))
    alerts = _get(f"http://{address}:{PORT}/api/v1/alerts", {})["alerts"]
    console.print(f"alerts: {sorted({alert['labels']['alertname'] for alert in alerts})}")
    console.print(f"wrote {file}")


def _deploy(juju: jubilant.Juju, folder: Path) -> Cluster:
    bundle.deploy(juju)
    juju.deploy(scraping.COLLECTOR)
    for command in how_to.shown("alerts.md", "Connect it"):
        if command.startswith("juju integrate"):
            juju.cli(*command.split()[1:])
    juju_status.wait_until_active(juju)
    cluster = logins.first_login(juju, folder)
    cluster.map("mallory", arns.USER, "mallory")
    return cluster


def _start_prometheus(
    juju: jubilant.Juju, found: Mapping[str, Any], folder: Path, program: Path
) -> float:
    """Start Prometheus on the machine, and return when."""
    config = {
        "global": {"scrape_interval": f"{SCRAPE_SECONDS}s", "evaluation_interval": "5s"},
        "scrape_configs": found["metrics_scrape_jobs"],
        "rule_files": ["rules.yaml"],
    }
    # As the collector does.
    topology = found["metrics_alert_rules"]["groups"][0]["rules"][0]["labels"]
    for job in config["scrape_configs"]:
        for static in job["static_configs"]:
            static["labels"] |= {k: v for k, v in topology.items() if k.startswith("juju_")}
    (folder / "prometheus.yaml").write_text(json.dumps(config))
    (folder / "rules.yaml").write_text(json.dumps(found["metrics_alert_rules"]))
    juju.exec("mkdir", "-m", "777", "-p", FOLDER, unit=MACHINE)
    for path in (program, folder / "prometheus.yaml", folder / "rules.yaml"):
        juju.scp(path, f"{MACHINE}:{FOLDER}/{path.name}")
    start = (
        f"cd {FOLDER} && chmod +x prometheus && setsid nohup ./prometheus "
        f"--config.file=prometheus.yaml --web.listen-address=0.0.0.0:{PORT} >log 2>&1 </dev/null &"
    )
    juju.exec("sh", "-c", start, unit=MACHINE)
    return time.time()


def _log_in(cluster: Cluster) -> None:
    """Let people log in again and again. Some are mapped, some are not, and STS throttles one."""
    began = time.monotonic()
    for number in itertools.count():
        passed = time.monotonic() - began
        if passed > LASTS_SECONDS:
            return
        if int(passed) in OUTAGE:
            with proxy.no_way_to_aws(cluster):
                _one_login(cluster, number)
        else:
            _one_login(cluster, number)
        # Every other minute is a busy one.
        time.sleep(0.2 if passed // 60 % 2 else 1)


def _one_login(cluster: Cluster, number: int) -> None:
    # API servers remember an answer for a minute, so each token is a little older than the last.
    token = bad_tokens.signed(
        bad_tokens.credentials(USERS[number % len(USERS)], "wrong" if number % 11 == 0 else None),
        kubernetes.cluster_id(cluster.person),
        region=REGIONS[number % 3 % 2],
        age=number % 30,
    )
    bad_tokens.log_in(cluster, token)


def _lines(panel: Mapping[str, Any], server: str, started: float) -> Iterator[chart.Line]:
    """Yield what Prometheus answers to the queries of a panel."""
    for target in panel["targets"]:
        query = target["expr"]
        for name, value in VARIABLES.items():
            query = query.replace(name, value)
        times = {"start": f"{started + 15:.0f}", "end": f"{time.time():.0f}"}
        answer = _get(f"{server}/api/v1/query_range", {"query": query, "step": "2", **times})
        for series in answer["result"]:
            points = [(float(t), float(v)) for t, v in series["values"] if v != "NaN"]
            yield chart.Line(_legend(target["legendFormat"], series["metric"]), points)


def _legend(template: str, labels: Mapping[str, str]) -> str:
    return re.sub(r"\{\{(\w+)\}\}", lambda found: labels.get(found[1], ""), template)


def _get(url: str, query: Mapping[str, str]) -> dict[str, Any]:
    return httpx2.get(url, params=query, timeout=30).raise_for_status().json()["data"]


if __name__ == "__main__":
    main()

"""The alert rules, the dashboard's queries and the scrape jobs, as Prometheus reads them."""

from __future__ import annotations

import base64
import json
import lzma
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.fakes.certificates.authority import root

import cos
from juju.peers import Shared
from owner import Owner
from testbed.programs import build
from testbed.programs.modules import Module

HERE = Path(__file__).parent
OWNER = Owner("aws-iam", "k8s", "u-1")
# What Grafana puts in the place of a variable for the time between two points.
RATE_INTERVAL = "$__rate_interval"

Promtool = Callable[..., str]

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def promtool() -> Promtool:
    """Return a function that runs promtool, and fails with what it says."""
    program = build.built([Module(HERE / "prometheus")]) / "promtool"

    def run(*arguments: str | Path) -> str:
        done = subprocess.run(
            [program, *arguments], capture_output=True, text=True, check=False, timeout=120
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    return run


def written(path: Path, content: Any) -> Path:
    """Write JSON, which is YAML, and return its path."""
    path.write_text(json.dumps(content))
    return path


def test_given_the_rules_then_they_fire_when_and_only_when_they_should(
    promtool: Promtool, tmp_path: Path
):
    written(tmp_path / "rules.yaml", cos.rules(OWNER, "aws-iam"))
    shutil.copy(HERE / "alert_rules.yaml", tmp_path)

    promtool("test", "rules", tmp_path / "alert_rules.yaml")


def test_given_the_rules_then_promtool_finds_nothing_to_say_and_each_has_a_test(
    promtool: Promtool, tmp_path: Path
):
    found = cos.rules(OWNER, "aws-iam")
    fired = {
        case["alertname"]
        for test in yaml.safe_load((HERE / "alert_rules.yaml").read_text())["tests"]
        for case in test["alert_rule_test"]
        if case["exp_alerts"]
    }

    promtool("check", "rules", "--lint=all", "--lint-fatal", written(tmp_path / "rules", found))
    assert {rule["alert"] for group in found["groups"] for rule in group["rules"]} == fired


def test_given_the_dashboard_then_prometheus_reads_every_query(promtool: Promtool, tmp_path: Path):
    encoded = cos.dashboard("aws-iam")
    found = json.loads(lzma.decompress(base64.b64decode(encoded)))
    queries = [target["expr"] for panel in found["panels"] for target in panel["targets"]]
    recording = [
        {"record": f"query:{number}", "expr": query.replace(RATE_INTERVAL, "4m")}
        for number, query in enumerate(queries)
    ]

    groups = {"groups": [{"name": "dashboard", "rules": recording}]}
    assert f"{len(queries)} rules found" in promtool(
        "check", "rules", written(tmp_path / "rules", groups)
    )


def test_given_scrape_jobs_then_prometheus_takes_them_as_they_are(
    promtool: Promtool, tmp_path: Path
):
    shared = Shared(address="10.152.183.20", ca=root().certificate)
    pods = [{"metadata": {"name": "a"}, "status": {"podIP": "fd00::2"}}]
    config = {"scrape_configs": cos.jobs(OWNER, shared, pods)}

    promtool("check", "config", written(tmp_path / "prometheus.yaml", config))

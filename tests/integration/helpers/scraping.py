"""What aws-iam publishes for a collector, and scrapes as Prometheus makes them."""

from __future__ import annotations

import base64
import json
import re
from collections import defaultdict
from typing import Any

import jubilant
from tests.integration.helpers import units

COLLECTOR = "opentelemetry-collector"

# Runs on a machine. It fails at the first target that does not answer as the job wants.
_PROGRAM = """
import base64, http.client, json, socket, ssl, sys

answers = []
for job in json.loads(base64.b64decode(sys.argv[1])):
    assert job["scheme"] == "https"
    tls = ssl.create_default_context(cadata=job["tls_config"]["ca"])
    for static in job["static_configs"]:
        for target in static["targets"]:
            host, port = target.rsplit(":", 1)
            connection = http.client.HTTPSConnection(host, int(port), timeout=20)
            plain = socket.create_connection((host.strip("[]"), int(port)), timeout=20)
            name = job["tls_config"]["server_name"]
            connection.sock = tls.wrap_socket(plain, server_hostname=name)
            connection.request("GET", job["metrics_path"])
            response = connection.getresponse()
            assert response.status == 200, (target, response.status)
            answers.append(response.read().decode())
print(json.dumps(answers))
"""
_SAMPLE = re.compile(r"^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? \S+$", re.MULTILINE)


def published(juju: jubilant.Juju) -> dict[str, Any]:
    """Return what the collector sees of aws-iam, decoded."""
    (unit,) = (
        unit
        for relation in units.relations(juju, f"{COLLECTOR}/0")
        for name, unit in relation.get("related-units", {}).items()
        if name.startswith("aws-iam/")
    )
    return json.loads(unit["data"]["config"])


def run(juju: jubilant.Juju, unit: str, jobs: list[dict[str, Any]]) -> list[str]:
    """Return what each target of the jobs answers, asked on the machine of a unit."""
    encoded = base64.b64encode(json.dumps(jobs).encode()).decode()
    program = base64.b64encode(_PROGRAM.encode()).decode()
    start = f"import base64; exec(base64.b64decode('{program}'))"
    return json.loads(juju.exec("python3", "-c", start, encoded, unit=unit).stdout)


def labels(text: str) -> dict[str, set[str]]:
    """Return the labels of each metric in what a target answered."""
    found: dict[str, set[str]] = defaultdict(set)
    for metric, selector in _SAMPLE.findall(text):
        found[metric] |= set(re.findall(r'(\w+)="', selector))
    return dict(found)

# SPDX-License-Identifier: Apache-2.0

"""What goes into the databag: rules, the dashboard and jobs. Same input, same bytes."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from owner import Owner

RULES = Path("src/prometheus_alert_rules/aws-iam.rules")
DASHBOARD = Path("src/grafana_dashboards/aws-iam.json")
CHARM_FOLDER = Path(__file__).parents[2]


def config(owner: Owner, charm: str, jobs: Sequence[Mapping[str, Any]]) -> str:
    """Return the value of the databag's key ``config``, as JSON."""
    return _json(
        {
            "metrics_alert_rules": rules(owner, charm),
            "log_alert_rules": {},
            "dashboards": [dashboard(charm)],
            "metrics_scrape_jobs": jobs,
            "log_slots": [],
        }
    )


def rules(owner: Owner, charm: str) -> dict[str, Any]:
    """Return the charm's alert rules for one application, as a Prometheus rule file has them.

    As the Python package cosl does, this fills in ``%%juju_topology%%``, and labels rules and
    groups.
    """
    import yaml

    # By these labels the collector tells this application's metrics.
    topology = {
        "juju_model": owner.model,
        "juju_model_uuid": owner.model_uuid,
        "juju_application": owner.application,
    }
    selector = ",".join(f'{name}="{value}"' for name, value in topology.items())
    labels = {**topology, "juju_charm": charm}
    prefix = f"{owner.model}_{owner.model_uuid[:8]}_{owner.application}"
    groups: list[dict[str, Any]] = []
    for group in yaml.load((CHARM_FOLDER / RULES).read_text(), yaml.CSafeLoader)["groups"]:
        name = f"{prefix}_{group['name']}_rules".replace("-", "_")
        filled = [
            {
                **rule,
                "expr": rule["expr"].replace("%%juju_topology%%", selector),
                "labels": {**rule["labels"], **labels},
            }
            for rule in group["rules"]
        ]
        groups.append({"name": name, "rules": filled})
    return {"groups": groups}


def dashboard(charm: str) -> str:
    """Return the charm's dashboard as base64 of the xz archive of its JSON.

    It has the uid and the tag that the Python package cosl gives it: the uid is that of the charm
    and the file, so the units and applications of a charm have one dashboard in common.
    """
    import lzma

    content = {
        **json.loads((CHARM_FOLDER / DASHBOARD).read_text()),
        "uid": hashlib.shake_256(f"{charm}-{DASHBOARD}".encode()).hexdigest(20),
        "tags": [f"charm: {charm}"],
    }
    return base64.b64encode(lzma.compress(_json(content).encode())).decode()


def _json(value: Any) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"))

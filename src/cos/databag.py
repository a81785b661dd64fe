# SPDX-License-Identifier: Apache-2.0

"""What goes into the databag: rules, dashboards and jobs. Same input, same bytes."""

from __future__ import annotations

import base64
import hashlib
import json
import lzma
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from cos import facts
from owner import Owner
from text import fill

_CHARM_FOLDER = Path(__file__).parents[2]
_RULES = Path("src/prometheus_alert_rules")
_DASHBOARDS = Path("src/grafana_dashboards")
# An authority may sign for a day or for years. Before these ends the charm asks for a new
# certificate, or the authority itself is about to expire.
_LONGEST_MARGIN = 7 * 24 * 3600
_SHARE_OF_LIFE = 20


def config(owner: Owner, charm: str, known: str, jobs: Sequence[Mapping[str, Any]]) -> str:
    """Return the value of the databag's key ``config``, as JSON. ``known`` are the facts, as
    `facts.Facts.dump` wrote them."""
    return _json(
        {
            "metrics_alert_rules": rules(owner, charm, facts.load(known)),
            "log_alert_rules": {},
            "dashboards": dashboards(charm),
            "metrics_scrape_jobs": jobs,
            "log_slots": [],
        }
    )


def rules(owner: Owner, charm: str, known: facts.Facts | None) -> dict[str, Any]:
    """Return the charm's alert rules for one application, as a Prometheus rule file has them.

    As the Python package cosl does, this fills in ``%%juju_topology%%``, and labels rules and
    groups. It also fills in the facts, and leaves out rules whose facts are unknown.
    """
    # By these labels the collector tells this application's metrics.
    topology = {
        "juju_model": owner.model,
        "juju_model_uuid": owner.model_uuid,
        "juju_application": owner.application,
    }
    selector = ",".join(f'{name}="{value}"' for name, value in topology.items())
    values = {"%%juju_topology%%": selector, **_constants(known)}
    labels = {**topology, "juju_charm": charm}
    prefix = f"{owner.model}_{owner.model_uuid[:8]}_{owner.application}"
    groups: list[dict[str, Any]] = []
    for path in sorted((_CHARM_FOLDER / _RULES).glob("*.rules")):
        for group in yaml.load(path.read_text(), yaml.CSafeLoader)["groups"]:
            name = f"{prefix}_{group['name']}_rules".replace("-", "_")
            filled = [
                {
                    **rule,
                    "expr": fill(rule["expr"], values),
                    "labels": {**rule["labels"], **labels},
                }
                for rule in group["rules"]
            ]
            known_only = [rule for rule in filled if "%%" not in rule["expr"]]
            groups.append({"name": name, "rules": known_only})
    return {"groups": groups}


def _constants(known: facts.Facts | None) -> dict[str, str]:
    """Return the facts that are known, by their names in rules."""
    if not known:
        return {}
    numbers = {"mappings_to_correct": known.to_correct}
    if known.next_end:
        numbers["next_end"] = known.next_end
    if known.replicas:
        numbers["replicas"] = known.replicas
    if known.ends:
        numbers["certificate_ends"] = known.ends
        life = known.ends - known.starts
        numbers["certificate_margin"] = min(_LONGEST_MARGIN, life // _SHARE_OF_LIFE)
    return {f"%%{name}%%": str(number) for name, number in numbers.items()}


def dashboards(charm: str) -> list[str]:
    """Return the charm's dashboards, each as base64 of the xz archive of its JSON.

    Each has the uid and the tag that the Python package cosl gives it: the uid is that of the
    charm and the file, so the units and applications of a charm have one dashboard in common.
    """
    found = sorted((_CHARM_FOLDER / _DASHBOARDS).glob("*.json"))
    return [_dashboard(path, charm) for path in found]


def _dashboard(path: Path, charm: str) -> str:
    name = f"{charm}-{_DASHBOARDS / path.name}"
    content = {
        **json.loads(path.read_text()),
        "uid": hashlib.shake_256(name.encode()).hexdigest(20),
        "tags": [f"charm: {charm}"],
    }
    return base64.b64encode(lzma.compress(_json(content).encode())).decode()


def _json(value: Any) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"))

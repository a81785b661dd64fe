# SPDX-License-Identifier: Apache-2.0

"""The alert rules of ``src/prometheus_alert_rules``, for one application."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from cos.facts import Facts
from owner import Owner
from text import fill

_FOLDER = Path(__file__).parents[1] / "prometheus_alert_rules"
# An authority may sign for a day or for years. Before these ends the charm asks for a new
# certificate, or the authority itself is about to expire.
_LONGEST_MARGIN = 7 * 24 * 3600
_SHARE_OF_LIFE = 20


def render(owner: Owner, charm: str, known: Facts | None) -> dict[str, Any]:
    """Return the rules as ``groups``, as a Prometheus rule file has them.

    As the Python package cosl does, this fills in ``%%juju_topology%%``, and labels rules and
    groups. It also fills in the facts, and leaves out rules whose facts are unknown.
    """
    groups = [group for path in sorted(_FOLDER.glob("*.rules")) for group in _load(path)]
    return {"groups": [_group(group, owner, charm, _constants(known)) for group in groups]}


def topology(owner: Owner) -> dict[str, str]:
    """Return the labels by which the collector tells this application's metrics."""
    return {
        "juju_model": owner.model,
        "juju_model_uuid": owner.model_uuid,
        "juju_application": owner.application,
    }


def _group(
    group: dict[str, Any], owner: Owner, charm: str, constants: dict[str, str]
) -> dict[str, Any]:
    labels = topology(owner)
    selector = ",".join(f'{name}="{value}"' for name, value in labels.items())
    values = {"%%juju_topology%%": selector, **constants}
    filled = [
        {
            **rule,
            "expr": fill(rule["expr"], values),
            "labels": {**rule["labels"], **labels, "juju_charm": charm},
        }
        for rule in group["rules"]
    ]
    parts = (owner.model, owner.model_uuid[:8], owner.application, group["name"], "rules")
    name = "_".join(parts).replace("-", "_")
    return {"name": name, "rules": [rule for rule in filled if "%%" not in rule["expr"]]}


def _constants(known: Facts | None) -> dict[str, str]:
    if not known:
        return {}
    found = {
        "%%mappings_to_correct%%": str(known.to_correct),
        "%%lasting_administrators%%": str(known.lasting_administrators),
        "%%unused%%": str(known.unused),
        "%%unused_administrators%%": str(known.unused_administrators),
    }
    if known.next_end:
        found["%%next_end%%"] = str(known.next_end)
    if known.replicas:
        found["%%replicas%%"] = str(known.replicas)
    if not known.ends:
        return found
    margin = min(_LONGEST_MARGIN, (known.ends - known.starts) // _SHARE_OF_LIFE)
    ends = {"%%certificate_ends%%": str(known.ends), "%%certificate_margin%%": str(margin)}
    return {**found, **ends}


def _load(path: Path) -> list[dict[str, Any]]:
    return yaml.load(path.read_text(), yaml.CSafeLoader)["groups"]

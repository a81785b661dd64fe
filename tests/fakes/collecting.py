"""A collector of metrics: relate one, and look at what a unit tells it."""

from __future__ import annotations

import json
from typing import Any

from tests.fakes.juju.model import Model


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

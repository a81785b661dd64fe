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

from cos import facts, rules
from owner import Owner

_CHARM_FOLDER = Path(__file__).parents[2]
_DASHBOARDS = Path("src/grafana_dashboards")


def config(owner: Owner, charm: str, known: str, jobs: Sequence[Mapping[str, Any]]) -> str:
    """Return the value of the databag's key ``config``, as JSON.

    Args:
        owner: This application.
        charm: The charm's name.
        known: The facts, as `facts.Facts.dump` wrote them.
        jobs: The scrape jobs of this unit.
    """
    return _json(
        {
            "metrics_alert_rules": rules.render(owner, charm, facts.load(known)),
            "log_alert_rules": {},
            "dashboards": dashboards(charm),
            "metrics_scrape_jobs": jobs,
            "log_slots": [],
        }
    )


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

"""The dashboards in the databag."""

from __future__ import annotations

import base64
import json
import lzma
from pathlib import Path
from typing import Any

import pytest
from tests.fakes.collecting import config
from tests.fakes.juju.model import Model

ROOT = Path(__file__).parents[3]


@pytest.fixture
def dashboard(watched: Model) -> dict[str, Any]:
    """The dashboard as Grafana gets it."""
    (encoded,) = config(watched)["dashboards"]
    return json.loads(lzma.decompress(base64.b64decode(encoded)))


def test_given_the_dashboard_then_it_has_the_uid_and_the_tag_of_its_charm_and_file(
    dashboard: dict[str, Any],
):
    # cosl 1.11.3: DashboardPath40UID.generate("aws-iam", "src/grafana_dashboards/aws-iam.json").
    assert dashboard["uid"] == "0ece30a0109b452a18554e2bc7fdaf1cfcc7774e"
    assert dashboard["tags"] == ["charm: aws-iam"]
    file = json.loads((ROOT / "src/grafana_dashboards/aws-iam.json").read_text())
    assert dashboard == {**file, "uid": dashboard["uid"], "tags": dashboard["tags"]}


def test_given_the_dashboard_then_its_panels_ask_the_collectors_prometheus_for_the_topology(
    dashboard: dict[str, Any],
):
    variables = (
        'juju_model=~"$juju_model",juju_model_uuid=~"$juju_model_uuid",'
        'juju_application=~"$juju_application"'
    )

    # Grafana's charm adds its own variables; one of ours of the same name would be there twice.
    assert dashboard["templating"] == {"list": []}
    for panel in dashboard["panels"]:
        for target in panel["targets"]:
            assert target["datasource"] == {"type": "prometheus", "uid": "${prometheusds}"}
            assert target["expr"].count("{") == target["expr"].count(variables)


def test_given_the_dashboard_then_its_numbers_are_those_of_now(dashboard: dict[str, Any]):
    stats = [panel for panel in dashboard["panels"] if panel["type"] == "stat"]

    # Over a range, the last number stays there for hours after the collector has died.
    assert stats
    for panel in stats:
        assert panel["options"]["reduceOptions"]["calcs"] == ["last"]
        assert panel["fieldConfig"]["defaults"]["noValue"] == "no data"
        for target in panel["targets"]:
            assert (target["instant"], target["range"]) == (True, False)
            # Without metrics, nobody knows that there were no logins.
            assert "vector(" not in target["expr"]


def test_given_the_dashboard_then_its_panels_fill_the_width_and_do_not_overlap(
    dashboard: dict[str, Any],
):
    cells = [
        (x, y)
        for panel in dashboard["panels"]
        for where in [panel["gridPos"]]
        for x in range(where["x"], where["x"] + where["w"])
        for y in range(where["y"], where["y"] + where["h"])
    ]

    assert len(set(cells)) == len(cells)
    assert {x for x, _ in cells} == set(range(24))
    assert len(cells) == 24 * (1 + max(y for _, y in cells))

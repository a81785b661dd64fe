"""The picture of the dashboard that `python -m benchmarks.dashboard` draws."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree

from benchmarks.dashboard import chart

FILE = Path(__file__).parents[2] / "src/grafana_dashboards/aws-iam.json"
DASHBOARD = json.loads(FILE.read_text())
SVG = "{http://www.w3.org/2000/svg}"


def drawn(lines: list[chart.Line]) -> ElementTree.Element:
    """The picture with the same lines in every panel."""
    panels = {panel["id"]: lines for panel in DASHBOARD["panels"]}
    return ElementTree.fromstring(chart.draw(DASHBOARD, panels, "a < b"))


def texts(picture: ElementTree.Element) -> list[str]:
    return [text.text or "" for text in picture.iter(f"{SVG}text")]


def test_given_lines_then_each_chart_has_them_with_legends_and_each_number_its_last():
    picture = drawn([chart.Line("a & b", [(0.0, 1.0), (60.0, 3.0)])])
    kinds = [panel["type"] for panel in DASHBOARD["panels"]]

    assert len(list(picture.iter(f"{SVG}polyline"))) == kinds.count("timeseries")
    assert texts(picture).count("a & b") == kinds.count("timeseries")
    assert texts(picture).count("3") >= kinds.count("stat")
    assert {panel["title"] for panel in DASHBOARD["panels"]} <= set(texts(picture))
    assert "a < b" in texts(picture)


def test_given_no_lines_then_each_panel_says_so():
    assert texts(drawn([])).count("no data") == len(DASHBOARD["panels"])


def test_given_a_line_then_it_stays_inside_its_panel():
    picture = drawn([chart.Line("a", [(float(t), t * 7.3) for t in range(300)])])

    for line in picture.iter(f"{SVG}polyline"):
        points = [tuple(map(float, p.split(","))) for p in line.attrib["points"].split()]
        assert all(0 < x < 12 * chart.COLUMN and 0 < y < 9 * chart.ROW for x, y in points)

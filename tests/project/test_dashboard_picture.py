"""The picture of the dashboard that `python -m benchmarks.dashboard` draws."""

from __future__ import annotations

import itertools
import json
import re
from pathlib import Path
from xml.etree import ElementTree

from benchmarks.dashboard import chart

ROOT = Path(__file__).parents[2]
FILE = ROOT / "src/grafana_dashboards/aws-iam.json"
TEMPLATE = ROOT / "templates/authenticator.yaml.j2"
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


def test_given_two_pods_that_are_alike_then_their_panels_show_both():
    alike = [chart.Line(name, [(0.0, 1.0), (60.0, 1.0)]) for name in ("a", "b")]
    shown = {
        (group.findtext(f"{SVG}text") or ""): {
            line.attrib["points"] for line in group.iter(f"{SVG}polyline")
        }
        for group in drawn(alike).iter(f"{SVG}g")
    }

    assert len(shown["Pods"]) == len(shown["Memory of the pods"]) == 2


def test_given_the_limit_of_a_pods_memory_then_its_panel_says_it():
    (panel,) = (each for each in DASHBOARD["panels"] if each["title"] == "Memory of the pods")
    (limit,) = re.findall(r"limits:(?:\s*#.*)*\s+memory: (\d+)Mi", TEMPLATE.read_text())

    assert panel["description"].endswith(f"The limit of each is {limit} MiB.")


def test_given_results_then_success_alone_is_green_and_a_refusal_colours_its_number():
    results = ("success", "uknown_user", "sts_error")
    panel = next(p for p in DASHBOARD["panels"] if p["title"] == "Logins and refusals by result")
    lines = {found["id"]: [chart.Line("pods", [(0.0, 2.0)])] for found in DASHBOARD["panels"]}
    lines[panel["id"]] = [chart.Line(name, [(0.0, 1.0)]) for name in results]
    picture = ElementTree.fromstring(chart.draw(DASHBOARD, lines, ""))

    named = {
        text.text: mark.attrib["fill"]
        for group in picture.iter(f"{SVG}g")
        for mark, text in itertools.pairwise(group)
        if text.text in results
    }
    assert [name for name in results if named[name] == chart.COLOURS["green"]] == ["success"]
    assert chart.COLOURS["orange"] in {
        text.attrib.get("fill") for text in picture.iter(f"{SVG}text") if text.text == "2"
    }

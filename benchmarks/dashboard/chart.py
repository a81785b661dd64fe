"""Draws the panels of the charm's Grafana dashboard as SVG: numbers and lines. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from xml.sax.saxutils import escape

COLUMN, ROW, GAP, TITLE, LEGEND = 48, 24, 8, 26, 18
COLOURS = {
    "green": "#1a7f37",
    "red": "#cf222e",
    "blue": "#0969da",
    "yellow": "#bf8700",
    "purple": "#8250df",
    "orange": "#bc4c00",
}
# Of lines that are neither good nor bad.
IN_TURN = ("#0969da", "#bf8700", "#8250df", "#bc4c00", "#1b7c83", "#57606a")
_UNITS = {"reqps": " /s", "s": " s", "bytes": " MiB", "short": ""}
_MIB = 1024 * 1024

Points = Sequence[tuple[float, float]]


@dataclass(frozen=True)
class Line:
    """A series of a panel: its legend, and its points as pairs of time and value."""

    legend: str
    points: Points


def draw(dashboard: Mapping[str, Any], lines: Mapping[int, Sequence[Line]], note: str) -> str:
    """Return the SVG of a dashboard.

    Args:
        dashboard: The dashboard as Grafana gets it.
        lines: What Prometheus answered, by the panel's id.
        note: What the reader has to know, below the panels.
    """
    panels = dashboard["panels"]
    height = max(p["gridPos"]["y"] + p["gridPos"]["h"] for p in panels) * ROW + 3 * ROW
    size = f'viewBox="0 0 {24 * COLUMN} {height}" font-family="sans-serif" font-size="12"'
    title = escape(dashboard["title"])
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size}>',
        '<rect width="100%" height="100%" fill="#f6f8fa"/>',
        f'<text x="{GAP}" y="{ROW}" font-size="16" font-weight="bold">{title}</text>',
        *(_panel(panel, lines[panel["id"]]) for panel in panels),
        f'<text x="{GAP}" y="{height - GAP}" fill="#57606a">{escape(note)}</text>',
        "</svg>\n",
    ]
    return "\n".join(parts)


def _panel(panel: Mapping[str, Any], lines: Sequence[Line]) -> str:
    where = panel["gridPos"]
    x, y = where["x"] * COLUMN, where["y"] * ROW + 1.5 * ROW
    width, height = where["w"] * COLUMN - GAP, where["h"] * ROW - GAP
    config = panel["fieldConfig"]
    draw_inside = _number if panel["type"] == "stat" else _chart
    return (
        f'<g transform="translate({x + GAP / 2} {y})">'
        f'<rect width="{width}" height="{height}" fill="white" stroke="#d0d7de" rx="4"/>'
        f'<text x="{GAP}" y="18" font-weight="bold">{escape(panel["title"])}</text>'
        f"{draw_inside(lines, width, height, config)}</g>"
    )


def _number(lines: Sequence[Line], width: float, height: float, config: Mapping[str, Any]) -> str:
    value = lines[0].points[-1][1] if lines and lines[0].points else None
    unit = config["defaults"]["unit"]
    text = "no data" if value is None else f"{value:.0f}{_UNITS[unit]}"
    return (
        f'<text x="{width / 2}" y="{height / 2 + 22}" font-size="30" text-anchor="middle" '
        f'fill="{_by_threshold(value or 0, config)}">{text}</text>'
    )


def _by_threshold(value: float, config: Mapping[str, Any]) -> str:
    """Return the colour of the last step that a number reaches."""
    steps = config["defaults"].get("thresholds", {"steps": [{"color": "green", "value": None}]})
    reached = [s["color"] for s in steps["steps"] if s["value"] is None or s["value"] <= value]
    return COLOURS[reached[-1]]


def _chart(lines: Sequence[Line], width: float, height: float, config: Mapping[str, Any]) -> str:
    unit = config["defaults"]["unit"]
    scale = _MIB if unit == "bytes" else 1
    if "stacking" in config["defaults"]["custom"]:
        lines = _stacked(lines)
    values = [value / scale for line in lines for _, value in line.points]
    times = [time for line in lines for time, _ in line.points]
    if not values:
        return f'<text x="{width / 2}" y="{height / 2}" text-anchor="middle">no data</text>'
    top, begins, ends = _top(max(values)), min(times), max(times)
    left, bottom = 52, height - LEGEND - 22
    across, up = (width - left - GAP) / max(ends - begins, 1), (bottom - TITLE - 6) / top

    def place(point: tuple[float, float]) -> str:
        time, value = point
        return f"{left + (time - begins) * across:.1f},{bottom - value / scale * up:.1f}"

    grid = "".join(
        f'<path d="M{left} {bottom - share * top * up:.1f}H{width - GAP}" stroke="#eaeef2"/>'
        f'<text x="{left - 5}" y="{bottom - share * top * up + 4:.1f}" text-anchor="end" '
        f'fill="#57606a" font-size="10">{share * top:.3g}{_UNITS[unit]}</text>'
        for share in (0, 0.5, 1)
    )
    minutes = "".join(
        f'<text x="{left + minute * 60 * across:.1f}" y="{bottom + 13:.1f}" fill="#57606a" '
        f'font-size="10" text-anchor="middle">{minute} min</text>'
        for minute in range(int((ends - begins) // 60) + 1)
    )
    drawn = "".join(
        f'<polyline points="{" ".join(map(place, line.points))}" fill="none" '
        f'stroke="{colour}" stroke-width="1.5"/>'
        for line, colour in _coloured(lines, config)
    )
    return grid + minutes + drawn + _legend(lines, height, config)


def _stacked(lines: Iterable[Line]) -> list[Line]:
    """Return each line upon those before it."""
    below: dict[float, float] = {}
    stacked: list[Line] = []
    for line in lines:
        below |= {time: below.get(time, 0.0) + value for time, value in line.points}
        stacked.append(Line(line.legend, [(time, below[time]) for time, _ in line.points]))
    return stacked


def _legend(lines: Sequence[Line], height: float, config: Mapping[str, Any]) -> str:
    x, parts = GAP, list[str]()
    for line, colour in _coloured(lines, config):
        parts.append(
            f'<rect x="{x}" y="{height - 15}" width="10" height="3" fill="{colour}"/>'
            f'<text x="{x + 14}" y="{height - 9}" font-size="10">{escape(line.legend)}</text>'
        )
        x += 20 + round(5.4 * len(line.legend))
    return "".join(parts)


def _coloured(lines: Sequence[Line], config: Mapping[str, Any]) -> Iterable[tuple[Line, str]]:
    """Yield each line with the colour that the panel gives to its legend, or one in turn."""
    chosen = {
        override["matcher"]["options"]: COLOURS[override["properties"][0]["value"]["fixedColor"]]
        for override in config["overrides"]
    }
    for n, line in enumerate(lines):
        yield line, chosen.get(line.legend, IN_TURN[n % len(IN_TURN)])


def _top(value: float) -> float:
    """Return a round number above a value, for the end of an axis."""
    if value <= 0:
        return 1
    step = 10.0 ** (len(f"{value:.0f}") - 1) if value >= 1 else 1.0
    while step > value:
        step /= 10
    return next(step * factor for factor in (1, 1.5, 2, 3, 4, 5, 8, 10) if step * factor >= value)

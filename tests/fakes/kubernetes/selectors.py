"""Selectors of labels and fields, as far as the charm uses them."""

from __future__ import annotations

from typing import Any

Object = dict[str, Any]


def pairs(query: dict[str, str], kind: str) -> dict[str, str]:
    return dict(pair.split("=") for pair in query.get(kind, "").split(",") if pair)


def has_labels(labels: dict[str, str], selector: str) -> bool:
    """Whether a selector of one label, or of none, selects an object with ``labels``.

    A selector may be a label's key alone.
    """
    if selector and not set(selector) & {"=", " "}:
        return selector in labels
    key, _, values = selector.partition(" in ")
    if values:
        return labels.get(key) in values.strip("()").split(",")
    wanted = pairs({"labelSelector": selector}, "labelSelector")
    return wanted.items() <= labels.items()


def field(stored: Object, name: str) -> Any:
    for part in name.split("."):
        stored = stored[part]
    return stored

"""Selectors of one label, as the charm sends them; an empty one selects all."""

from __future__ import annotations

from typing import Any

Object = dict[str, Any]


def has_label(stored: Object, selector: str) -> bool:
    """Whether an object has a label (``key=value``), or the key of one (``key``)."""
    labels = stored["metadata"].get("labels", {})
    key, is_equal, value = selector.partition("=")
    return not selector or (labels.get(key) == value if is_equal else key in labels)

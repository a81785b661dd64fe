"""The table that `kubectl get` prints, as an API server makes it."""

from __future__ import annotations

import json
from typing import Any

from tests.fakes.kubernetes.apply import part_of

Object = dict[str, Any]


def table(definition: Object, items: list[Object]) -> Object:
    """The table of custom resources: of each, what their definition wants printed."""
    (version,) = definition["spec"]["versions"]
    columns = version.get("additionalPrinterColumns", [])
    names = ["Name", *(column["name"] for column in columns)]
    rows = [
        [item["metadata"]["name"], *(_cell(item, column["jsonPath"]) for column in columns)]
        for item in items
    ]
    return {
        "metadata": {},
        "columnDefinitions": [{"name": name} for name in names],
        "rows": [{"cells": cells, "object": None} for cells in rows],
    }


def _cell(item: Object, json_path: str) -> str | None:
    """What the server prints of an object: any value as text."""
    value = part_of(item, json_path.strip(".").split("."))
    return value if value is None or isinstance(value, str) else json.dumps(value)

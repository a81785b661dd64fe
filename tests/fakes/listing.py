"""Store mappings as people make them, and list them."""

from __future__ import annotations

import json
import re
from typing import Any

from tests.fakes.juju.model import Model
from tests.fakes.kubernetes.paths import MAPPINGS
from tests.fakes.kubernetes.server import FakeCluster

ROLE = "arn:aws:iam::111122223333:role"


def add(api: FakeCluster, name: str, role: str, username: str, *groups: str, **extra: Any) -> None:
    """Store a mapping of a role, made with kubectl unless its metadata say otherwise."""
    api.put(
        f"{MAPPINGS}/{name}",
        {
            "metadata": {"name": name, **extra},
            "spec": {"arn": f"{ROLE}/{role}", "username": username, "groups": [*groups]},
            "status": {"canonicalARN": f"{ROLE}/{role}".lower()},
        },
    )


def table(model: Model) -> list[list[str]]:
    """The cells of the table. Columns are two spaces apart."""
    text = model.action("list-mappings")["mappings"]
    return [re.split("  +", line) for line in text.splitlines()]


def items(model: Model, **more: Any) -> list[dict[str, Any]]:
    """The list as JSON has it."""
    return json.loads(model.action("list-mappings", format="json", **more)["mappings"])

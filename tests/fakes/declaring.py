"""Declare mappings by the option, and look at what the charm makes of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import ops
from tests.fakes.kubernetes.paths import MAPPINGS
from tests.fakes.kubernetes.server import FakeCluster

from access.declaration.declared import Declared

ACCOUNT = "arn:aws:iam::111122223333"
DEV = f"{ACCOUNT}:role/Dev"
HEALTHY = "2/2 pods"
Declare = Callable[..., ops.StatusBase]


def fault(found: Declared) -> str:
    """The place of the one entry with a fault, and what is wrong with it."""
    (wrong,) = found.wrong
    return f"{wrong.place}: {wrong.reason}"


def entry(name: str, arn: str = DEV, **more: Any) -> dict[str, Any]:
    return {"name": name, "arn": arn, "username": name, **more}


def names(api: FakeCluster) -> list[str]:
    return sorted(path.rpartition("/")[2] for path in api.objects if path.startswith(MAPPINGS))


def arns(api: FakeCluster) -> dict[str, str]:
    return {name: stored(api, name)["spec"]["arn"] for name in names(api)}


def stored(api: FakeCluster, name: str) -> dict[str, Any]:
    return api.objects[f"{MAPPINGS}/{name}"]

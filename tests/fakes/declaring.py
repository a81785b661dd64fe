"""Declare mappings by the option, and look at what the charm makes of them."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import ops
from tests.fakes.kubernetes.paths import MAPPINGS
from tests.fakes.kubernetes.server import FakeCluster

from access import mapping
from access.declaration.declared import Declared

ACCOUNT = "arn:aws:iam::111122223333"
DEV = f"{ACCOUNT}:role/Dev"
# The name of its mapping.
NAME = "dev-f98916774b"
HEALTHY = "2/2 pods"
Declare = Callable[..., ops.StatusBase]


def fault(found: Declared) -> str:
    """The place of the one entry with a fault, and what is wrong with it."""
    (only,) = found.faults
    return str(only)


def entry(username: str, arn: str = DEV, **more: Any) -> dict[str, Any]:
    return {"arn": arn, "username": username, **more}


def name_of(arn: str) -> str:
    """The name of the mapping that the option's entry for this ARN makes."""
    return mapping.name_of(arn.lower())


def short(name: str) -> str:
    """The name of a mapping without the digits that the charm puts behind its principal's."""
    return re.sub(r"-[0-9a-f]{10}$", "", name)


def names(api: FakeCluster) -> list[str]:
    """The short names of all mappings."""
    found = (path.rpartition("/")[2] for path in api.objects if path.startswith(MAPPINGS))
    return sorted(map(short, found))


def arns(api: FakeCluster) -> dict[str, str]:
    return {name: stored(api, name)["spec"]["arn"] for name in names(api)}


def stored(api: FakeCluster, name: str) -> dict[str, Any]:
    """The one mapping of this name, which may be short."""
    (found,) = (
        each
        for path, each in api.objects.items()
        if path.startswith(MAPPINGS) and name in (last := path.rpartition("/")[2], short(last))
    )
    return found

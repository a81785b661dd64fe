"""Run actions that fail, and grant access."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import ops.testing
import pytest
from tests.fakes.juju.model import Model
from tests.fakes.kubernetes.paths import MAPPINGS
from tests.fakes.kubernetes.server import FakeCluster

ROLE = "arn:aws:iam::111122223333:role/Dev"
# What the mapping is called that `grant-access` makes for it.
GRANT = "dev-f98916774b"


def refused(run: Callable[..., object], *args: Any, **params: Any) -> str:
    """Why the action fails that ``run`` runs with these parameters."""
    with pytest.raises(ops.testing.ActionFailed) as failure:
        run(*args, **params)
    return failure.value.message


def grant(model: Model, unit: int = 0, **params: Any) -> dict[str, Any]:
    """Grant access to `ROLE`, unless another ``arn`` is given; the action's results."""
    given = {"arn": ROLE, "username": "alice", **params}
    # `for` is a word of Python's.
    named = {key.rstrip("_").replace("_", "-"): value for key, value in given.items()}
    return model.action("grant-access", unit, **named)


def lists_stored(api: FakeCluster) -> bool:
    """Whether every list of mappings, and of the charm's bindings, was of what is stored. From its
    memory, the API server may leave out what somebody has just made."""
    mappings = [seen for seen in api.seen if str(seen) == f"GET {MAPPINGS}"]
    bindings = [seen for seen in api.seen if "aws-iam/source" in seen.query.values()]
    lists = [*mappings, *bindings]
    return all([mappings, bindings]) and not any("resourceVersion" in each.query for each in lists)

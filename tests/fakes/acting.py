"""Run actions that fail, and grant access."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import ops.testing
import pytest
from tests.fakes.juju.model import Model

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

"""Ask `explain-access`, and let the authenticator have refused people."""

from __future__ import annotations

import json
from typing import Any

from tests.unit.fake_cluster import FakeCluster
from tests.unit.model import Model

ROLE = "arn:aws:iam::111122223333:role/dev"


def explained(model: Model, arn: str = ROLE, **params: Any) -> list[str]:
    """The lines of the explanation."""
    return model.action("explain-access", arn=arn, **params)["explanation"].splitlines()


def log_line(arn: str, error: str, second: int = 0) -> bytes:
    """A line of the authenticator's log about a login that was denied."""
    line = {"msg": "access denied", "error": error, "time": f"2026-11-26T08:16:{second:02}Z"}
    return json.dumps({**line, **({"arn": arn} if arn else {})}).encode() + b"\n"


def refuse(api: FakeCluster, *arns: str) -> None:
    """Let the authenticator have refused these just now, because nothing maps them."""
    api.add_log("a", b"".join(log_line(arn, "identity is not mapped") for arn in arns))

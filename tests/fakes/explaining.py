"""Ask `explain-access`, and let the authenticator have refused people."""

from __future__ import annotations

import json
from typing import Any

from tests.fakes.juju.model import Model
from tests.fakes.kubernetes.server import FakeCluster

ROLE = "arn:aws:iam::111122223333:role/dev"
CLIENT = "10.1.0.1:38652"
# How the errors of the authenticator begin that are about a token, and about STS.
FORMAT = "input token was not properly formatted: "
STS = "sts getCallerIdentity failed: "


def explained(model: Model, arn: str = ROLE, **params: Any) -> list[str]:
    """The lines of the explanation."""
    return model.action("explain-access", arn=arn, **params)["explanation"].splitlines()


def log_line(arn: str, error: str, second: int = 0, **fields: str) -> bytes:
    """A line of the authenticator's log about a login that was denied, so many seconds after the
    clock's start."""
    line = {
        "client": CLIENT,
        "error": error,
        "level": "warning",
        "method": "POST",
        "msg": "access denied",
        "path": "/authenticate",
        "time": f"1970-01-01T00:00:{second:02}Z",
        **({"arn": arn} if arn else {}),
    }
    return json.dumps({**line, **fields}).encode() + b"\n"


def sts_error(code: str, message: str, status: int = 403) -> str:
    """The error of a login that STS refuses."""
    error = {"Error": {"Type": "Sender", "Code": code, "Message": message}, "RequestId": "4a6a"}
    end = f"on us-east-1 endpoint. Body: {json.dumps(error)}"
    return f"{STS}error from AWS (expected 200, got {status}) {end}"


def refuse(api: FakeCluster, *arns: str) -> None:
    """Let the authenticator have refused these just now, because nothing maps them."""
    api.add_log("a", b"".join(log_line(arn, "identity is not mapped") for arn in arns))

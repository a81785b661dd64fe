"""One call of an API: what was asked, by whom, and where."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from testbed.aws.accounts import Accounts, Credentials, Principal
from testbed.aws.policies import Context
from testbed.aws.sigv4 import Refused

Result = Mapping[str, Any]


@dataclass(frozen=True)
class Call:
    """A call whose signature is checked. `host` and `region` are those of the endpoint."""

    parameters: Mapping[str, str]
    signer: Credentials
    accounts: Accounts
    host: str
    region: str
    now: dt.datetime

    @property
    def caller(self) -> Principal:
        """Return whose credentials signed the call."""
        return self.signer.principal

    @property
    def action(self) -> str:
        """Return the name of the operation."""
        return self.parameters.get("Action", "")

    def unknown(self) -> Refused:
        """Return the error for an operation that the endpoint has not."""
        version = self.parameters.get("Version", "")
        message = f"Could not find operation {self.action} for version {version}"
        return Refused(400, "InvalidAction", message)

    def authorize(self, action: str, context: Context) -> None:
        """Raise Refused unless the caller's policies allow an action."""
        if not self.accounts.allow(self.caller, action, context):
            raise Refused(
                403,
                "AccessDenied",
                f"User: {self.caller.arn} is not authorized to perform: {action} because no "
                f"identity-based policy allows the {action} action",
            )

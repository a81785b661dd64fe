"""One call of an API: what was asked, and by whom."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from testbed.aws.accounts import Accounts, Credentials, Principal
from testbed.aws.sigv4 import Refused

Result = Mapping[str, Any]


@dataclass(frozen=True)
class Call:
    """A call whose signature is checked."""

    parameters: Mapping[str, str]
    signer: Credentials
    accounts: Accounts
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

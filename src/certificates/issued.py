# SPDX-License-Identifier: Apache-2.0

"""What a request for a certificate has led to."""

from __future__ import annotations

import dataclasses
import datetime
from typing import NoReturn

from certificates.keypair import KeyPair
from errors import Blocked, Waiting
from statuses import active, blocked


@dataclasses.dataclass(frozen=True)
class Issued:
    """What a request has led to: a pair, or why there is none.

    Attributes:
        pair: The pair to serve, checked.
        refusal: What is wrong: with what `with_command` adds, a status.
        wait: What the provider must do first, as a status.
        expires: When ``pair`` expires, if that is soon and the library does not renew it.
        announced: Whether an event of Juju will say that the wait is over.
    """

    pair: KeyPair | None = None
    refusal: str = ""
    wait: str = ""
    expires: datetime.datetime | None = None
    announced: bool = True

    @property
    def warning(self) -> str:
        """Return what an active status says of the expiry; empty while it is far."""
        if not self.expires:
            return ""
        return active.CERTIFICATE_EXPIRES(day=f"{self.expires:%Y-%m-%d}")

    def check(self) -> None:
        """Raise as `refuse` does, unless there is a pair."""
        if not self.pair:
            self.refuse()

    def refuse(self) -> NoReturn:
        """Raise `errors.Blocked` or `errors.Waiting`, with the reason why there is no pair."""
        if self.refusal:
            raise Blocked(self.refusal, announced=True)
        raise Waiting(self.wait, announced=self.announced)

    def with_command(self, command: str) -> Issued:
        """Return this with its refusal as a status that ends with ``command``, if there is one."""
        if not self.refusal:
            return self
        text = blocked.CERTIFICATE_UNUSABLE(problem=self.refusal, command=command)
        return dataclasses.replace(self, refusal=text)

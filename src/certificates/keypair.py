# SPDX-License-Identifier: Apache-2.0

"""A certificate with its private key, and what a client must trust to accept it."""

from __future__ import annotations

import dataclasses
import datetime

from text import fingerprint


@dataclasses.dataclass(frozen=True)
class KeyPair:
    """PEM texts: ``certificate`` is the leaf and its intermediates, ``ca`` the CA bundle that
    a client must trust."""

    certificate: str
    key: str = dataclasses.field(repr=False)
    ca: str

    @property
    def hash(self) -> str:
        """Return a name for certificate and key, by which pods tell which pair they serve."""
        return fingerprint(self.certificate + self.key)


class PairRefused(ValueError):
    """The API server would refuse the pair; the text says why."""


class NotYetValid(PairRefused):
    """The certificate or its authority is good later, by this machine's clock."""


def now() -> datetime.datetime:
    """Return the present moment, which certificates are compared with, in UTC."""
    return datetime.datetime.now(datetime.timezone.utc)

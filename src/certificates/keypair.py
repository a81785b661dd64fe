# SPDX-License-Identifier: Apache-2.0

"""A certificate with its private key, and what a client must trust to accept it."""

from __future__ import annotations

import dataclasses
import datetime
import re
from collections.abc import Iterator

from text import fingerprint

# Nothing in a block has a dash, so each BEGIN is followed to the next one only.
_CERTIFICATE = re.compile(r"-----BEGIN CERTIFICATE-----[ \t]*[\r\n][^-]*-----END CERTIFICATE-----")


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


def certificates(*texts: str) -> list[str]:
    """Return the CERTIFICATE blocks of ``texts`` in order, each once.

    What stands around them goes: easy-rsa puts a readable copy in front.
    """
    return list(dict.fromkeys(block for text in texts for block in blocks(_CERTIFICATE, text)))


def blocks(kind: re.Pattern[str], text: str) -> Iterator[str]:
    """Yield the blocks of a kind, without spaces around their lines, and without empty lines."""
    for match in kind.finditer(text):
        lines = (line.strip() for line in match[0].splitlines())
        yield "\n".join(line for line in lines if line)

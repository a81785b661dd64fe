# SPDX-License-Identifier: Apache-2.0

"""The certificate that the webhook is served with: which one, and whom a client must trust."""

from __future__ import annotations

import dataclasses
import datetime
import re

from text import fingerprint

# The Service's name in the cluster's DNS, and the TLS server name of the webhook's kubeconfig: the
# one name that is asked for. It is the certificate's common name too.
SERVER_NAME = "aws-iam-authenticator.kube-system.svc"
# Nothing in a block has a dash, so each BEGIN is followed to the next one only.
_CERTIFICATE = re.compile(r"-----BEGIN CERTIFICATE-----[ \t]*[\r\n][^-]*-----END CERTIFICATE-----")
_PRIVATE_KEY = re.compile(r"-----BEGIN ([A-Z ]*)PRIVATE KEY-----[^-]*-----END \1PRIVATE KEY-----")


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


@dataclasses.dataclass(frozen=True)
class Issued:
    """What a provider has issued."""

    pair: KeyPair  # The pair to serve, checked.
    # Until when nobody need read the provider's answer again; None to read it in each hook.
    until: datetime.datetime | None = None
    warning: str = ""  # What an active status says of its end; empty while that is far.


class PairRefused(ValueError):
    """The pair cannot be served; the text says why."""


def now() -> datetime.datetime:
    """Return the present moment, which certificates are compared with, in UTC."""
    return datetime.datetime.now(datetime.timezone.utc)


def certificates(*texts: str) -> list[str]:
    """Return the CERTIFICATE blocks of ``texts`` in order, each once.

    What stands around them goes: easy-rsa puts a readable copy in front.
    """
    found = (match[0] for text in texts for match in _CERTIFICATE.finditer(text))
    return list(dict.fromkeys(map(_tidy, found)))


def private_key(text: str) -> str:
    """Return the first private key block of ``text``; empty where there is none."""
    match = _PRIVATE_KEY.search(text)
    return _tidy(match[0]) if match else ""


def ca_bundle(*texts: str) -> str:
    """Return the certificates of all ``texts``, each once and sorted.

    The same certificates are the same text, in whatever order a provider lists them.
    """
    return "".join(sorted(certificates(*texts)))


def _tidy(block: str) -> str:
    """Return a block without spaces around its lines, and without empty lines."""
    lines = (line.strip() for line in block.splitlines())
    return "".join(f"{line}\n" for line in lines if line)

"""Good inputs: a certificate authority whose texts are the same in every run, and kubeconfigs.

Its keys are numbers that everybody can read here.
"""

from __future__ import annotations

import datetime
import hashlib
from collections.abc import Iterable, Sequence

from cryptography.hazmat.primitives.asymmetric import ec
from tests.fakes.certificates.authority import Authority, key_text, pem_text

from certificates import SERVER_NAME

ADDRESS = "10.152.183.20"
SANS = [SERVER_NAME, ADDRESS]
_VALID = (
    datetime.datetime(2020, 1, 1, tzinfo=datetime.timezone.utc),
    datetime.datetime(2049, 12, 31, tzinfo=datetime.timezone.utc),
)


class FixedAuthority(Authority):
    """An authority whose keys and certificates are the same in every run."""

    def __init__(self, name: str = "root", number: int = 1) -> None:
        self.name, self.issuer = name, None
        self._number, self._key = number, _key(number)
        self._certificate = self.sign(
            name, self._key.public_key(), _VALID, authority=True, serial=number
        )

    def issue(
        self, names: Sequence[str], *, days: tuple[int, int] = (0, 0), subject: str = "leaf"
    ) -> tuple[str, str]:
        key = _key(self._number + 1000)
        leaf = self.sign(subject, key.public_key(), _VALID, names, serial=self._number)
        return pem_text(leaf), key_text(key)


def _key(number: int) -> ec.EllipticCurvePrivateKey:
    # A first byte that is small keeps the number below the curve's order.
    digest = hashlib.sha256(b"the key of a test %d" % number).digest()
    return ec.derive_private_key(int.from_bytes(b"\1" + digest[1:], "big"), ec.SECP256R1())


AUTHORITY = FixedAuthority()
OTHER_AUTHORITY = FixedAuthority("other", 2)
LEAF, KEY = AUTHORITY.issue(SANS)
OTHER_LEAF, OTHER_KEY = OTHER_AUTHORITY.issue(SANS)

TOKEN = "tk9Zq7Xw2Lm4Vb8Ns5Rd1Hj6Gf3Ck0Py"
PASSWORD = "pw0Yc3Ug8IaQe5Wt7"
KUBECONFIG_KEY = "S3VwMnJZ0aGlzLWlzLXRoZS1rZXktb2YtdGhlLWFkbWlu"


def secret_of(key: str) -> str:
    """Return a part of the PEM text ``key``, of P-256 or RSA, that is in no public key."""
    body = "".join(key.splitlines()[1:-1])
    return body[len(body) * 35 // 100 : len(body) * 47 // 100]


# What may be in no status, log, databag or result.
SECRETS = (TOKEN, PASSWORD, KUBECONFIG_KEY, secret_of(KEY), secret_of(OTHER_KEY))


def leaked(text: str, secrets: Iterable[str] = SECRETS) -> str:
    """Return a piece of a secret that is in ``text``; empty where there is none."""
    pieces = (s[at : at + 8] for s in secrets for at in range(0, len(s) - 7, 4))
    return next((piece for piece in pieces if piece in text), "")

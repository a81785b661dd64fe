"""Good inputs: a certificate authority whose texts are the same in every run, and kubeconfigs.

Its keys are numbers that everybody can read here.
"""

from __future__ import annotations

import datetime
import hashlib
import ipaddress
from collections.abc import Iterable, Sequence

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from tests.fakes.certificates.authority import key_text

from certificates import SERVER_NAME

ADDRESS = "10.152.183.20"
SANS = [SERVER_NAME, ADDRESS]
_FROM = datetime.datetime(2020, 1, 1, tzinfo=datetime.timezone.utc)
_TO = datetime.datetime(2049, 12, 31, tzinfo=datetime.timezone.utc)


class FixedAuthority:
    """An authority as those of the unit tests, for `tests.fakes.juju.model.Easyrsa`."""

    def __init__(self, name: str = "root", number: int = 1) -> None:
        self.name = name
        self._number = number
        self._key = _key(number)
        self.certificate = self._signed(name, self._key, authority=True)

    def issue(self, names: Sequence[str], *, days: object = None) -> tuple[str, str]:
        """Return a leaf for ``names`` and its key."""
        key = _key(self._number + 1000)
        return self._signed("leaf", key, names), key_text(key)

    def _signed(
        self,
        subject: str,
        key: ec.EllipticCurvePrivateKey,
        names: Iterable[str] = (),
        *,
        authority: bool = False,
    ) -> str:
        constraints = x509.BasicConstraints(ca=authority, path_length=None)
        builder = (
            x509.CertificateBuilder()
            .subject_name(_name(subject))
            .issuer_name(_name(self.name))
            .public_key(key.public_key())
            .serial_number(self._number)
            .not_valid_before(_FROM)
            .not_valid_after(_TO)
            .add_extension(constraints, critical=True)
        )
        if alternatives := [_general(name) for name in names]:
            builder = builder.add_extension(x509.SubjectAlternativeName(alternatives), False)
        signed = builder.sign(self._key, hashes.SHA256(), ecdsa_deterministic=True)
        return signed.public_bytes(serialization.Encoding.PEM).decode()


def _key(number: int) -> ec.EllipticCurvePrivateKey:
    # A first byte that is small keeps the number below the curve's order.
    digest = hashlib.sha256(b"the key of a test %d" % number).digest()
    return ec.derive_private_key(int.from_bytes(b"\1" + digest[1:], "big"), ec.SECP256R1())


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _general(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


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

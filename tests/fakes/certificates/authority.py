"""Certificate authorities that issue as the real ones do, with small keys that are made fast."""

from __future__ import annotations

import base64
import datetime
import functools
import ipaddress
import textwrap
from collections.abc import Sequence

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

Key = (
    ec.EllipticCurvePrivateKey
    | rsa.RSAPrivateKey
    | ed25519.Ed25519PrivateKey
    | ed448.Ed448PrivateKey
)
PublicKey = (
    ec.EllipticCurvePublicKey | rsa.RSAPublicKey | ed25519.Ed25519PublicKey | ed448.Ed448PublicKey
)
Extension = x509.ExtensionType
CA, NO_CA = (x509.BasicConstraints(ca, None) for ca in (True, False))
PREAMBLE = """\
Certificate:
    Data:
        Version: 3 (0x2)
        Signature Algorithm: sha256WithRSAEncryption
        Issuer: CN=an easy-rsa authority
"""


class Authority:
    """A root, or an intermediate where ``issuer`` is given."""

    def __init__(
        self, name: str, issuer: Authority | None = None, days: tuple[int, int] = (-1, 3650)
    ) -> None:
        self.name = name
        self._key = ec.generate_private_key(ec.SECP256R1())
        self.certificate = (issuer or self)._sign(name, self._key.public_key(), days, CA)

    def issue(self, names: Sequence[str], *, days: tuple[int, int] = (-1, 365)) -> tuple[str, str]:
        """A leaf for ``names`` and its key; ``days`` from now that it begins and ends."""
        key = ec.generate_private_key(ec.SECP256R1())
        return self.sign_leaf(key.public_key(), names, days), key_text(key)

    def sign_leaf(self, key: PublicKey, names: Sequence[str], days: tuple[int, int]) -> str:
        """A leaf of somebody else's key."""
        return self._sign("leaf", key, days, NO_CA, alternatives(names))

    def _sign(
        self, subject: str, key: PublicKey, days: tuple[int, int], *others: Extension
    ) -> str:
        return sign(subject, key, days, (self.name, self._key), others)

    def resign(self, certificate: str, whole: bytes, broken: bytes) -> str:
        """A certificate with ``broken`` in the place of ``whole``, as if it had been issued so."""
        former = x509.load_pem_x509_certificate(certificate.encode())
        assert former.tbs_certificate_bytes.count(whole) == 1
        assert len(whole) == len(broken)
        signed = former.tbs_certificate_bytes.replace(whole, broken)
        signature = self._key.sign(signed, ec.ECDSA(hashes.SHA256()))
        algorithm = bytes.fromhex("300a06082a8648ce3d040302")
        return signed_text(signed, algorithm, signature)


def sign(
    subject: str,
    public_key: PublicKey,
    days: tuple[int, int],
    by: tuple[str, Key],
    extensions: Sequence[Extension],
) -> str:
    """A certificate in PEM, signed ``by`` an issuer with its key. ``days`` from now it begins and
    ends. All extensions but alternative names are critical."""
    now = datetime.datetime.now(datetime.timezone.utc)
    builder = (
        x509.CertificateBuilder()
        .subject_name(_distinguished(subject))
        .issuer_name(_distinguished(by[0]))
        .public_key(public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + datetime.timedelta(days=days[0]))
        .not_valid_after(now + datetime.timedelta(days=days[1]))
    )
    for each in extensions:
        builder = builder.add_extension(each, not isinstance(each, x509.SubjectAlternativeName))
    edwards = isinstance(by[1], ed25519.Ed25519PrivateKey | ed448.Ed448PrivateKey)
    signed = builder.sign(by[1], None if edwards else hashes.SHA256())
    return signed.public_bytes(Encoding.PEM).decode()


def signed_text(signed: bytes, algorithm: bytes, signature: bytes) -> str:
    """The certificate in PEM whose parts are in DER."""
    whole = _der(0x30, signed + algorithm + _der(0x03, b"\0" + signature))
    lines = textwrap.wrap(base64.b64encode(whole).decode(), 64)
    return "\n".join(["-----BEGIN CERTIFICATE-----", *lines, "-----END CERTIFICATE-----", ""])


def _der(tag: int, content: bytes) -> bytes:
    length = len(content).to_bytes(2, "big")
    if len(content) < 0x80:
        return bytes([tag, len(content)]) + content
    return bytes([tag, 0x82]) + length + content


def key_text(key: Key, form: PrivateFormat = PrivateFormat.PKCS8) -> str:
    return key.private_bytes(Encoding.PEM, form, NoEncryption()).decode()


@functools.cache
def root(name: str = "root") -> Authority:
    """The same authority for all tests: they only read it."""
    return Authority(name)


def alternatives(names: Sequence[str], *others: x509.GeneralName) -> x509.SubjectAlternativeName:
    return x509.SubjectAlternativeName([*map(_general, names), *others])


def _distinguished(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _general(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)

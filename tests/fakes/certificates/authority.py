"""Certificate authorities that issue as the real ones do, with small keys that are made fast."""

from __future__ import annotations

import base64
import copy
import datetime
import functools
import ipaddress
import textwrap
from collections.abc import Sequence

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa
from cryptography.x509.oid import NameOID

Key = (
    ec.EllipticCurvePrivateKey
    | rsa.RSAPrivateKey
    | ed25519.Ed25519PrivateKey
    | ed448.Ed448PrivateKey
)
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
        self.issuer = issuer
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._certificate = self._signed_as_authority(days)

    @property
    def certificate(self) -> str:
        return pem_text(self._certificate)

    def renewed(self, days: tuple[int, int]) -> Authority:
        """The same authority, its name and its key, with another certificate."""
        other = copy.copy(self)
        other._certificate = other._signed_as_authority(days)
        return other

    def _signed_as_authority(self, days: tuple[int, int]) -> x509.Certificate:
        issuer = self.issuer or self
        return issuer.sign(self.name, self._key.public_key(), period(days), authority=True)

    def issue(
        self, names: Sequence[str], *, days: tuple[int, int] = (-1, 365), subject: str = "leaf"
    ) -> tuple[str, str]:
        """A leaf for ``names`` and its key; ``days`` from now that it begins and ends."""
        key = ec.generate_private_key(ec.SECP256R1())
        leaf = self.sign(subject, key.public_key(), period(days), names)
        return pem_text(leaf), key_text(key)

    def sign(
        self,
        subject: str,
        public_key: ec.EllipticCurvePublicKey,
        valid: tuple[datetime.datetime, datetime.datetime],
        names: Sequence[str] = (),
        *,
        authority: bool = False,
        serial: int | None = None,
    ) -> x509.Certificate:
        builder = (
            x509.CertificateBuilder()
            .subject_name(distinguished(subject))
            .issuer_name(distinguished(self.name))
            .public_key(public_key)
            .serial_number(serial or x509.random_serial_number())
            .not_valid_before(valid[0])
            .not_valid_after(valid[1])
            .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
        )
        if names:
            builder = builder.add_extension(alternatives(names), critical=False)
        return builder.sign(self._key, hashes.SHA256(), ecdsa_deterministic=True)

    def resign(self, certificate: str, whole: bytes, broken: bytes) -> str:
        """A certificate with ``broken`` in the place of ``whole``, as if it had been issued so."""
        former = x509.load_pem_x509_certificate(certificate.encode())
        assert former.tbs_certificate_bytes.count(whole) == 1
        assert len(whole) == len(broken)
        signed = former.tbs_certificate_bytes.replace(whole, broken)
        signature = self._key.sign(signed, ec.ECDSA(hashes.SHA256()))
        algorithm = bytes.fromhex("300a06082a8648ce3d040302")
        return signed_text(signed, algorithm, signature)


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


def key_text(
    key: Key, form: serialization.PrivateFormat = serialization.PrivateFormat.PKCS8
) -> str:
    plain = serialization.NoEncryption()
    return key.private_bytes(serialization.Encoding.PEM, form, plain).decode()


@functools.cache
def root(name: str = "root") -> Authority:
    """The same authority for all tests: they only read it."""
    return Authority(name)


def period(days: tuple[int, int]) -> tuple[datetime.datetime, datetime.datetime]:
    """When a certificate begins and ends, by days from now."""
    now = datetime.datetime.now(datetime.timezone.utc)
    return now + datetime.timedelta(days=days[0]), now + datetime.timedelta(days=days[1])


def alternatives(names: Sequence[str]) -> x509.SubjectAlternativeName:
    return x509.SubjectAlternativeName([_general(name) for name in names])


# A subject in a form that has no characters but ASCII's, in which it has another.
MISLABELLED = "Mürren"


def distinguished(name: str) -> x509.Name:
    # By itself, cryptography writes a mail address in that form.
    oid = NameOID.EMAIL_ADDRESS if name.startswith(MISLABELLED) else NameOID.COMMON_NAME
    return x509.Name([x509.NameAttribute(oid, name)])


def _general(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def pem_text(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(serialization.Encoding.PEM).decode()

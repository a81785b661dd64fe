"""Certificates as Go reads them. Pure.

cryptography parses a certificate, and reads some that Go's ``crypto/x509/parser.go`` does not.
Those are refused here, at the cost of some malformed ones that Go would read.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TypeVar

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

_T = TypeVar("_T", bound=x509.ExtensionType)

_CURVES = ("secp224r1", "secp256r1", "secp384r1", "secp521r1")
_NEVER_CRITICAL = (
    x509.AuthorityInformationAccess,
    x509.AuthorityKeyIdentifier,
    x509.SubjectKeyIdentifier,
)
KNOWN_NAMES = (x509.DNSName, x509.IPAddress, x509.RFC822Name, x509.UniformResourceIdentifier)
HOST = re.compile(r"(?!.*\.\d+$)(?:[\w*-]+\.)*[\w*-]+|", re.ASCII)
_BASE = re.compile(rf"(?:[\w.+-]+@)?\.?(?:{HOST.pattern})", re.ASCII)
_URI = re.compile(r"[a-z]+://[\w.-]*\w(?::\d+)?(?:/[\w./-]*)?", re.ASCII)
# An attribute of a name whose value is not UTF-8, printable, Teletex, ASCII or BMP.
_ODD_TEXT = re.compile(rb"\x06\x03\x55\x04.[^\x0c\x13\x14\x16\x1e]", re.DOTALL)


def parse(der: bytes) -> x509.Certificate:
    """Return the certificate. Raise where cryptography or Go cannot read it."""
    certificate = x509.load_der_x509_certificate(der)
    if not all(_is_well_formed(certificate, der)):
        raise ValueError("cryptography reads it, Go does not")
    return certificate


def _is_well_formed(certificate: x509.Certificate, der: bytes) -> Iterator[bool]:
    """Check what cryptography reads and Go does not."""
    signed, extensions = certificate.tbs_certificate_bytes, certificate.extensions
    key, algorithm = certificate.public_key(), der.partition(signed)[2]
    basic = get(certificate, x509.BasicConstraints)
    policies = get(certificate, x509.CertificatePolicies) or ()
    oids = [extension.oid for extension in extensions]
    oids += get(certificate, x509.ExtendedKeyUsage) or ()
    yield certificate.serial_number >= 0
    yield certificate.version is x509.Version.v3 or not oids
    # The signature's algorithm stands outside too; the key must be in its usual encoding.
    yield algorithm[: 2 + algorithm[1]] in signed
    yield key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo) in signed
    yield not isinstance(key, ec.EllipticCurvePublicKey) or key.curve.name in _CURVES
    yield all(int(arc) < 1 << 31 for oid in oids for arc in oid.dotted_string.split("."))
    for extension in extensions:
        yield not (extension.critical and isinstance(extension.value, _NEVER_CRITICAL))
    yield not basic or (basic.path_length or 0) < 1 << 63
    yield len({policy.policy_identifier for policy in policies}) == len([*policies])
    for name in (certificate.subject, certificate.issuer):
        yield not _ODD_TEXT.search(name.public_bytes())
    for name in names(certificate):
        is_uri = isinstance(name, x509.UniformResourceIdentifier)
        yield not is_uri or bool(_URI.fullmatch(name.value))
    for _, base in constraints(certificate):
        yield not isinstance(base.value, str) or bool(_BASE.fullmatch(base.value))


def key_kind(certificate: x509.Certificate) -> str:
    """Return the curve of an elliptic key, and the class of another."""
    key = certificate.public_key()
    return key.curve.name if isinstance(key, ec.EllipticCurvePublicKey) else type(key).__name__


def rsa_bits(certificate: x509.Certificate) -> int:
    """Return the length of an RSA key, 0 of another."""
    key = certificate.public_key()
    return key.key_size if isinstance(key, rsa.RSAPublicKey) else 0


def get(certificate: x509.Certificate, kind: type[_T]) -> _T | None:
    """Return the value of the extension; None where there is none."""
    values = (extension.value for extension in certificate.extensions)
    return next((value for value in values if isinstance(value, kind)), None)


def names(certificate: x509.Certificate) -> list[x509.GeneralName]:
    """Return the alternative names of the kinds that Go knows."""
    found = get(certificate, x509.SubjectAlternativeName) or ()
    return [name for name in found if isinstance(name, KNOWN_NAMES)]


def constraints(certificate: x509.Certificate) -> list[tuple[bool, x509.GeneralName]]:
    """Return the name constraints: whether each permits a name and those below it, and which."""
    rule = get(certificate, x509.NameConstraints)
    permitted = (rule and rule.permitted_subtrees) or ()
    excluded = (rule and rule.excluded_subtrees) or ()
    return [*((True, base) for base in permitted), *((False, base) for base in excluded)]

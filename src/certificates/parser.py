# Copyright 2026 Canonical Ltd.
# See LICENSE file for licensing details.

"""Certificates as Go reads them. Pure.

cryptography parses a certificate, and reads some that Go's ``crypto/x509/parser.go`` does not.
Those are refused here, at the cost of some malformed ones that Go would read.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from typing import NamedTuple, TypeVar

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.types import (
    CertificatePublicKeyTypes,
    PrivateKeyTypes,
)
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_der_private_key,
)
from cryptography.x509.oid import ExtensionOID, PublicKeyAlgorithmOID

from certificates import names

_T = TypeVar("_T", bound=x509.ExtensionType)

_KEYS = (
    PublicKeyAlgorithmOID.RSAES_PKCS1_v1_5,
    PublicKeyAlgorithmOID.EC_PUBLIC_KEY,
    PublicKeyAlgorithmOID.ED25519,
    PublicKeyAlgorithmOID.X25519,
    PublicKeyAlgorithmOID.DSA,
)
_CURVES = ("secp224r1", "secp256r1", "secp384r1", "secp521r1")
_NEVER_CRITICAL = (
    x509.AuthorityInformationAccess,
    x509.AuthorityKeyIdentifier,
    x509.SubjectKeyIdentifier,
)
_INTEGER, _OCTETS, _OID, _SEQUENCE = 0x02, 0x04, 0x06, 0x30
_PSS_KEY = bytes.fromhex("06092a864886f70d01010a")
# What may stand in a name, by its tag: UTF-8, which cryptography has read, numeric, printable,
# Teletex, ASCII and BMP.
_TEXTS = {
    0x0C: re.compile(rb".*", re.DOTALL),
    0x12: re.compile(rb"[0-9 ]*"),
    0x13: re.compile(rb"[A-Za-z0-9 '()+,./:=?*&-]*"),
    0x14: re.compile(rb".*", re.DOTALL),
    0x16: re.compile(rb"[\0-\x7f]*"),
    0x1E: re.compile(rb"(?:(?![\xd8-\xdf]|\xfd[\xd0-\xef]|\xff[\xfe\xff])..)*", re.DOTALL),
}


class _Element(NamedTuple):
    tag: int
    content: bytes
    raw: bytes


def parse(der: bytes) -> x509.Certificate:
    """Return the certificate. Raise where cryptography or Go cannot read it."""
    certificate = x509.load_der_x509_certificate(der)
    if not all(_is_well_formed(certificate, der)):
        raise ValueError("cryptography reads it, Go does not")
    return certificate


def _is_well_formed(certificate: x509.Certificate, der: bytes) -> Iterator[bool]:
    """Check what cryptography reads and Go does not."""
    signed, public_key = certificate.tbs_certificate_bytes, key(certificate)
    algorithm, basic = der.partition(signed)[2], get(certificate, x509.BasicConstraints)
    limits, known = policy_limits(certificate), policies(certificate)
    yield certificate.serial_number >= 0
    # The signature's algorithm stands outside too; the key must be in its usual encoding.
    yield algorithm[: 2 + algorithm[1]] in signed
    if public_key:
        yield public_key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo) in signed
        yield key_kind(certificate) in _CURVES or not isinstance(
            public_key, ec.EllipticCurvePublicKey
        )
    yield all(int(arc) < 1 << 31 for oid in _oids(certificate) for arc in oid.split("."))
    for extension in extensions(certificate):
        yield not (extension.critical and isinstance(extension.value, _NEVER_CRITICAL))
    yield not basic or (basic.path_length or 0) < 1 << 63
    yield all(limit < 1 << 63 or limit == math.inf for limit in limits)
    yield len(set(known)) == len(known)
    yield all(above and below for above, below in policy_mappings(certificate))
    yield all(_is_text(name) for name in (certificate.subject, certificate.issuer))
    yield all(names.is_readable(name) for name in alternative_names(certificate))
    yield all(names.is_readable_base(base) for _, base in name_constraints(certificate))


def _oids(certificate: x509.Certificate) -> Iterator[str]:
    """Yield the object identifiers that Go reads as small numbers."""
    yield certificate.signature_algorithm_oid.dotted_string
    yield certificate.public_key_algorithm_oid.dotted_string
    for each in (*certificate.subject, *certificate.issuer, *extensions(certificate)):
        yield each.oid.dotted_string
    for usage in get(certificate, x509.ExtendedKeyUsage) or ():
        yield usage.dotted_string
    for access in get(certificate, x509.AuthorityInformationAccess) or ():
        yield access.access_method.dotted_string


def _is_text(name: x509.Name) -> bool:
    """Return whether Go knows the kinds of all texts in a name, and the texts are of that kind."""
    attributes = [inner for outer in _inside(name.public_bytes()) for inner in _inside(outer.raw)]
    texts = [_inside(attribute.raw)[1] for attribute in attributes]
    return all(t.tag in _TEXTS and _TEXTS[t.tag].fullmatch(t.content) for t in texts)


def extensions(certificate: x509.Certificate) -> list[x509.Extension[x509.ExtensionType]]:
    """Return the extensions, which Go does not read before version 3."""
    return [*certificate.extensions] if certificate.version is x509.Version.v3 else []


def key(certificate: x509.Certificate) -> CertificatePublicKeyTypes | None:
    """Return the public key; None where Go does not know its algorithm."""
    is_known = certificate.public_key_algorithm_oid in _KEYS
    return certificate.public_key() if is_known else None


def key_kind(certificate: x509.Certificate) -> str:
    """Return the curve of an elliptic key, and the class of another."""
    found = key(certificate)
    return (
        found.curve.name if isinstance(found, ec.EllipticCurvePublicKey) else type(found).__name__
    )


def rsa_bits(certificate: x509.Certificate) -> int:
    """Return the length of an RSA key, 0 of another."""
    found = key(certificate)
    return found.key_size if isinstance(found, rsa.RSAPublicKey) else 0


def get(certificate: x509.Certificate, kind: type[_T]) -> _T | None:
    """Return the value of the extension; None where there is none."""
    values = (extension.value for extension in extensions(certificate))
    return next((value for value in values if isinstance(value, kind)), None)


def alternative_names(certificate: x509.Certificate) -> list[x509.GeneralName]:
    """Return the alternative names of the kinds that Go knows."""
    found = get(certificate, x509.SubjectAlternativeName) or ()
    return [name for name in found if isinstance(name, names.KNOWN)]


def name_constraints(certificate: x509.Certificate) -> list[tuple[bool, x509.GeneralName]]:
    """Return the name constraints: whether each permits a name and those below it, and which."""
    rule = get(certificate, x509.NameConstraints)
    permitted = (rule and rule.permitted_subtrees) or ()
    excluded = (rule and rule.excluded_subtrees) or ()
    return [*((True, base) for base in permitted), *((False, base) for base in excluded)]


def policies(certificate: x509.Certificate) -> list[bytes]:
    """Return the object identifiers of the certificate policies."""
    value = get(certificate, x509.CertificatePolicies)
    found = _inside(value.public_bytes()) if value else ()
    return [_inside(policy.raw)[0].content for policy in found]


def policy_mappings(certificate: x509.Certificate) -> list[tuple[bytes, bytes]]:
    """Return the policies that are mapped: what each is called above, and what below."""
    pairs = [
        _inside(pair.raw)
        for extension in extensions(certificate)
        if extension.oid == ExtensionOID.POLICY_MAPPINGS
        for pair in _inside(extension.value.public_bytes())
    ]
    if any(oid.tag != _OID for pair in pairs for oid in pair):
        raise ValueError("a policy is not an object identifier")
    return [(above.content, below.content) for above, below in pairs]


def policy_limits(certificate: x509.Certificate) -> tuple[float, float, float]:
    """Return how many certificates further down a policy is required, mappings count no more,
    and "any policy" counts no more; infinite where the certificate does not say."""
    limits = get(certificate, x509.PolicyConstraints)
    inhibition = get(certificate, x509.InhibitAnyPolicy)
    required = limits.require_explicit_policy if limits else None
    unmapped = limits.inhibit_policy_mapping if limits else None
    return (
        math.inf if required is None else required,
        math.inf if unmapped is None else unmapped,
        inhibition.skip_certs if inhibition else math.inf,
    )


def private_key(der: bytes) -> PrivateKeyTypes:
    """Return the private key. Raise where cryptography or Go cannot read it."""
    version, *fields = _inside(der)
    tags = [der[0], version.tag, *(field.tag for field in fields[:2])]
    if tags == [_SEQUENCE, _INTEGER, _SEQUENCE, _OCTETS] and version.content in (b"\0", b"\1"):
        # Go leaves out what follows the key in PKCS #8, such as its public half (RFC 5958).
        der = _encoded(_SEQUENCE, b"\2\1\0" + fields[0].raw + fields[1].raw)
    found = load_der_private_key(der, password=None)
    if isinstance(found, rsa.RSAPrivateKey):
        numbers = found.private_numbers()
        if _PSS_KEY in der[:30] or numbers.d >= numbers.public_numbers.n:
            raise ValueError("cryptography reads it, Go does not")
    return found


def _inside(der: bytes) -> list[_Element]:
    """Return the elements in a sequence or a set. Raise where they are not DER."""
    (outer,) = _elements(der)
    return list(_elements(outer.content))


def _elements(data: bytes) -> Iterator[_Element]:
    at = 0
    while at < len(data):
        length, start = data[at + 1], at + 2
        if length & 0x80:
            start += length & 0x7F
            length = int.from_bytes(data[at + 2 : start], "big")
        content, end = data[start : start + length], start + length
        if data[at:end] != _encoded(data[at], content):
            raise ValueError("not DER")
        yield _Element(data[at], content, data[at:end])
        at = end


def _encoded(tag: int, content: bytes) -> bytes:
    length = len(content)
    size = (length.bit_length() + 7) // 8
    head = [length] if length < 0x80 else [0x80 | size, *length.to_bytes(size, "big")]
    return bytes([tag, *head]) + content

# SPDX-License-Identifier: Apache-2.0

"""Where Go's ``crypto/x509`` and ``crypto/tls`` are stricter than OpenSSL. Pure.

One rule for each difference that an authority may run into, after Go 1.26's ``parser.go``,
``verify.go`` and ``handshake_client.go``. A rule may be stricter than Go.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from typing import TypeVar

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import ExtendedKeyUsageOID

from certificates.refusal import Refused

_T = TypeVar("_T", bound=x509.ExtensionType)

NO_SERVER = "is not for TLS servers by its key usages, or by those of an authority"
_SMALLEST_RSA, _LARGEST_RSA = 1024, 8192
_LARGEST_EXPONENT = 31
_SERVABLE = ("secp256r1", "secp384r1", "secp521r1")
_HASHES = ("sha256", "sha384", "sha512")
# Up to Go 1.25, it gave up after so many names times constraints.
_MOST_COMPARISONS = 250_000
_HOSTS = (x509.DNSName, x509.IPAddress)
_HOST = r"[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*"
_PLAIN: dict[type[x509.GeneralName], re.Pattern[str]] = {
    x509.DNSName: re.compile(rf"(?:\*\.)?{_HOST}"),
    x509.RFC822Name: re.compile(rf"[A-Za-z0-9_+-]+(?:\.[A-Za-z0-9_+-]+)*@{_HOST}"),
    x509.UniformResourceIdentifier: re.compile(
        rf"[A-Za-z][A-Za-z0-9+-]*:(?://{_HOST}(?::[0-9]+)?(?:/[A-Za-z0-9/._~-]*)?"
        r"|[A-Za-z0-9._~:-]+)"
    ),
}
_PLAIN_BASE = re.compile(rf"(?:\.?{_HOST})?|[0-9a-f.:/]+")


def check(certificate: x509.Certificate) -> None:
    """Raise `Refused`, or what cryptography raises, where Go may not take a certificate."""
    _check_form(certificate)
    _check_key(certificate)
    _check_names(certificate)
    if certificate.issuer != certificate.subject:
        # Nobody verifies the signature of a root.
        _check_signature(certificate)


def check_chain(chain: Sequence[x509.Certificate]) -> None:
    """Raise `Refused` where Go may not follow a chain, the leaf first, its root trusted."""
    for link in chain:
        usages = _value(link, x509.ExtendedKeyUsage)
        if usages and ExtendedKeyUsageOID.SERVER_AUTH not in usages:
            raise Refused(NO_SERVER)
    for child, parent in itertools.pairwise(chain):
        policies = _value(child, x509.PolicyConstraints)
        if policies and policies.require_explicit_policy is not None:
            # A chain can meet that. OpenSSL and Go do not agree on which do.
            raise Refused("requires certificate policies, or an authority of it does")
        if child.issuer.public_bytes() != parent.subject.public_bytes():
            raise Refused("has an authority whose name is encoded in another way")
    names = [name for link in chain for name in _names(link)]
    bases = [base for link in chain for base in _bases(link)]
    if len(names) * len(bases) > _MOST_COMPARISONS:
        raise Refused("has an authority with name constraints, and too many names")
    for name in names if bases else ():
        # Go and OpenSSL agree on hosts and addresses only.
        if not isinstance(name, _HOSTS) or "*" in str(name.value):
            raise Refused(f"has an authority with name constraints, and the name {_shown(name)}")


def is_authority(certificate: x509.Certificate) -> bool:
    """Return whether the certificate says that it may sign others."""
    basic = _value(certificate, x509.BasicConstraints)
    usage = _value(certificate, x509.KeyUsage)
    return bool(basic and basic.ca) and (not usage or usage.key_cert_sign)


def covers(leaf: x509.Certificate, name: str) -> bool:
    """Return whether a client that asks for a host name or an address takes the leaf for it."""
    texts = {str(each.value).lower() for each in _names(leaf) if isinstance(each, _HOSTS)}
    return not texts.isdisjoint({name, f"*.{name.partition('.')[2]}"})


def _check_signature(certificate: x509.Certificate) -> None:
    digest = certificate.signature_hash_algorithm
    if digest and digest.name not in _HASHES:
        raise Refused(f"is signed with {digest.name.upper()}")
    scheme = certificate.signature_algorithm_parameters
    # Go wants a salt as long as the digest. cryptography has no public name for it.
    salt = vars(scheme)["_salt_length"] if isinstance(scheme, padding.PSS) else None
    if salt is not None and digest and salt != digest.digest_size:
        raise Refused("is signed with PSS and a salt of an unusual length")


def _check_form(certificate: x509.Certificate) -> None:
    usual = certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    if certificate.serial_number < 0:
        raise Refused("has a negative serial number")
    if usual not in certificate.tbs_certificate_bytes:
        raise Refused("has a key in an unusual encoding")
    if certificate.version is not x509.Version.v3 and [*certificate.extensions]:
        raise Refused("is of version 1 and has extensions")


def _check_key(certificate: x509.Certificate) -> None:
    key = certificate.public_key()
    if isinstance(key, rsa.RSAPublicKey) and not _SMALLEST_RSA <= key.key_size <= _LARGEST_RSA:
        wanted = f"{_SMALLEST_RSA} to {_LARGEST_RSA}"
        raise Refused(f"has an RSA key of {key.key_size} bits, not {wanted}")
    if (
        isinstance(key, rsa.RSAPublicKey)
        and (exponent := key.public_numbers().e.bit_length()) > _LARGEST_EXPONENT
    ):
        raise Refused(
            f"has an RSA key with an exponent of {exponent} bits, not up to {_LARGEST_EXPONENT}"
        )
    is_curve = isinstance(key, ec.EllipticCurvePublicKey) and key.curve.name in _SERVABLE
    if not is_curve and not isinstance(key, rsa.RSAPublicKey | ed25519.Ed25519PublicKey):
        raise Refused("has a key that is not RSA, P-256, P-384, P-521 or Ed25519")


def _check_names(certificate: x509.Certificate) -> None:
    for name in _names(certificate):
        pattern = _PLAIN.get(type(name))
        if pattern and not pattern.fullmatch(name.value):
            raise Refused(f"has a name that Go may not read: {_shown(name)}")
    for base in _bases(certificate):
        if not isinstance(base, _HOSTS) or not _PLAIN_BASE.fullmatch(str(base.value)):
            raise Refused(f"has a name constraint that Go may not read: {_shown(base)}")


def _names(certificate: x509.Certificate) -> list[x509.GeneralName]:
    return list(_value(certificate, x509.SubjectAlternativeName) or ())


def _bases(certificate: x509.Certificate) -> list[x509.GeneralName]:
    rule = _value(certificate, x509.NameConstraints)
    return [
        *((rule and rule.permitted_subtrees) or ()),
        *((rule and rule.excluded_subtrees) or ()),
    ]


def _value(certificate: x509.Certificate, kind: type[_T]) -> _T | None:
    values = (extension.value for extension in certificate.extensions)
    return next((value for value in values if isinstance(value, kind)), None)


def _shown(name: x509.GeneralName) -> str:
    return f"{str(name.value)!a:.60}"

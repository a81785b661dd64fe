# SPDX-License-Identifier: Apache-2.0

"""Which certificates Kubernetes can use.

The API server and the authenticator are written in Go, whose TLS lacks some kinds of keys that
OpenSSL has, and which reads no certificate with a name in characters that its form lacks.
``tests/conformance`` asks Go.
"""

from __future__ import annotations

import contextlib
import re

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

_CURVES = (ec.SECP224R1, ec.SECP256R1, ec.SECP384R1, ec.SECP521R1)
_URI = re.compile(
    r"[a-z][a-z0-9+.-]*:(//[a-z0-9_-]+(\.[a-z0-9_-]+)*(:[0-9]+)?(?=/|$)|(?!//))"
    r"([a-z0-9_.~:@/-]|%[0-9a-f]{2})*",
    re.IGNORECASE,
)
# In DER: the types of a subject's texts that have no characters but ASCII's.
_ASCII_TAGS = (0x12, 0x13, 0x16)


def is_usable(certificate: x509.Certificate) -> bool:
    """Return whether Go can check what ``certificate`` has signed."""
    kinds = (rsa.RSAPublicKey, ec.EllipticCurvePublicKey, ed25519.Ed25519PublicKey)
    return is_readable(certificate) and isinstance(certificate.public_key(), kinds)


def is_readable(certificate: x509.Certificate) -> bool:
    """Return whether Go reads ``certificate``. One that it does not read ends its handshake."""
    # What cryptography raises, here and below, has no common base.
    with contextlib.suppress(Exception):
        key = certificate.public_key()
        texts = [*certificate.subject, *certificate.issuer]
        return (
            (not isinstance(key, ec.EllipticCurvePublicKey) or isinstance(key.curve, _CURVES))
            and _has_readable_names(certificate)
            and all(map(_is_text, texts))
        )
    return False


def may_be_sent(block: str) -> bool:
    """Return whether a server may send the certificate of a PEM block beside its own.

    A client that trusts a self-signed one has it already.
    """
    with contextlib.suppress(Exception):
        certificate = x509.load_pem_x509_certificate(block.encode())
        return is_readable(certificate) and not is_self_signed(block)
    return False


def is_self_signed(block: str) -> bool:
    """Return whether the certificate of a PEM block is its own authority."""
    with contextlib.suppress(Exception):
        certificate = x509.load_pem_x509_certificate(block.encode())
        certificate.verify_directly_issued_by(certificate)
        return True
    return False


def _has_readable_names(certificate: x509.Certificate) -> bool:
    try:
        found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (x509.ExtensionNotFound, x509.UnsupportedGeneralNameType):
        return True
    names = (*found.get_values_for_type(x509.DNSName), *found.get_values_for_type(x509.RFC822Name))
    uris = found.get_values_for_type(x509.UniformResourceIdentifier)
    return all(map(str.isascii, names)) and all(map(_URI.fullmatch, uris))


def _is_text(attribute: x509.NameAttribute[str | bytes]) -> bool:
    value = attribute.value
    if isinstance(value, bytes) or value.isascii():
        return True
    encoded = value.encode()
    before = x509.Name([attribute]).public_bytes().removesuffix(encoded)
    # A length of one byte follows the tag; a name that is longer has another before it.
    tag = before[-3] if len(encoded) > 0x7F else before[-2]
    return tag not in _ASCII_TAGS

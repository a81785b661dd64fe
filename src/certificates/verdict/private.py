"""Private keys, of the encodings that Go reads.

By ``parsePrivateKey`` (``crypto/tls/tls.go``), ``ParsePKCS8PrivateKey``, ``parseECPrivateKey``
and ``ParsePKCS1PrivateKey`` (``crypto/x509``). cryptography reads other encodings: it refuses
Ed25519 keys that carry their public key, and takes RSA keys that are marked for PSS alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from certificates.verdict import keys
from certificates.verdict.der import (
    CONSTRUCTED,
    CONTEXT,
    INTEGER,
    OCTET_STRING,
    OID,
    SEQUENCE,
    Malformed,
    Reader,
    integer,
    oid,
)

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes

_RSA, _EC, _ED25519 = "1.2.840.113549.1.1.1", "1.2.840.10045.2.1", "1.3.101.112"
_CURVE = CONTEXT | CONSTRUCTED | 0


def load(der: bytes) -> PrivateKeyTypes:
    """Return the private key. Where Go reads none, raise `Malformed` or as cryptography does."""
    fields = Reader(der).inside(SEQUENCE)
    fields.read(INTEGER)
    if fields.next_is(INTEGER):
        return _rsa(der)
    if fields.next_is(OCTET_STRING):
        return _elliptic(der, None)
    number, parameters = keys.algorithm(fields.read(SEQUENCE))
    content = fields.read(OCTET_STRING)
    if number == _RSA:
        return _rsa(content)
    if number == _EC:
        return _elliptic(content, _curve(Reader(parameters)))
    if number == _ED25519 and not parameters:
        return _ed25519(Reader(content).read(OCTET_STRING))
    raise Malformed("a private key of an unsupported kind")


def _rsa(pkcs1: bytes) -> PrivateKeyTypes:
    from cryptography.hazmat.primitives.serialization import load_der_private_key

    numbers = Reader(pkcs1).inside(SEQUENCE)
    _, modulus, _, exponent = (integer(numbers.read(INTEGER)) for _ in range(4))
    if exponent >= modulus:
        raise Malformed("malformed RSA key")
    return load_der_private_key(pkcs1, password=None)


def _elliptic(sec1: bytes, curve: str | None) -> PrivateKeyTypes:
    from cryptography.hazmat.primitives.asymmetric import ec

    fields = Reader(sec1).inside(SEQUENCE)
    version, secret = integer(fields.read(INTEGER)), fields.read(OCTET_STRING)
    if curve is None and fields.next_is(_CURVE):
        curve = _curve(fields.inside(_CURVE))
    curves = {
        "P-224": ec.SECP224R1,
        "P-256": ec.SECP256R1,
        "P-384": ec.SECP384R1,
        "P-521": ec.SECP521R1,
    }
    if version != 1 or curve not in curves:
        raise Malformed("malformed private key, or one on an unsupported curve")
    return ec.derive_private_key(int.from_bytes(secret, "big"), curves[curve]())


def _curve(parameters: Reader) -> str | None:
    """Return the name of the curve, empty where Go does not know it; None where none is named."""
    return keys.CURVES.get(oid(parameters.read(OID)), "") if parameters.next_is(OID) else None


def _ed25519(seed: bytes) -> PrivateKeyTypes:
    from cryptography.hazmat.primitives.asymmetric import ed25519

    return ed25519.Ed25519PrivateKey.from_private_bytes(seed)

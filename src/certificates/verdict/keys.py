"""Public keys and signatures: of which kinds Go reads, verifies and serves them.

By ``parsePublicKey`` (``crypto/x509/parser.go``), ``signatureAlgorithmDetails`` and
``checkSignature`` (``x509.go``), and ``signatureSchemesForPublicKey`` (``crypto/tls/auth.go``).
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from certificates.verdict.der import (
    BIT_STRING,
    INTEGER,
    NULL,
    OID,
    SEQUENCE,
    Malformed,
    Reader,
    bits,
    integer,
    oid,
)

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes

RSA, DSA, ED25519 = "RSA", "DSA", "Ed25519"
_EC = "1.2.840.10045.2.1"
_KINDS = {"1.2.840.113549.1.1.1": RSA, "1.2.840.10040.4.1": DSA, "1.3.101.112": ED25519}
CURVES = {
    "1.3.132.0.33": "P-224",
    "1.2.840.10045.3.1.7": "P-256",
    "1.3.132.0.34": "P-384",
    "1.3.132.0.35": "P-521",
}
_UNCOMPRESSED = b"\x04"
SERVABLE = (RSA, "P-256", "P-384", "P-521", ED25519)
SMALLEST_RSA, LARGEST_RSA = 1024, 8192

_BROKEN = {
    "1.2.840.113549.1.1.5": "SHA-1",
    "1.3.14.3.2.29": "SHA-1",
    "1.2.840.10045.4.1": "SHA-1",
    "1.2.840.113549.1.1.4": "MD5",
}
_PSS = "1.2.840.113549.1.1.10"
_SCHEMES = {
    "1.2.840.113549.1.1.11": (RSA, "SHA256"),
    "1.2.840.113549.1.1.12": (RSA, "SHA384"),
    "1.2.840.113549.1.1.13": (RSA, "SHA512"),
    "1.2.840.10045.4.3.2": ("P-", "SHA256"),
    "1.2.840.10045.4.3.3": ("P-", "SHA384"),
    "1.2.840.10045.4.3.4": ("P-", "SHA512"),
    "1.3.101.112": (ED25519, ""),
}


@dataclasses.dataclass(frozen=True)
class PublicKey:
    """A public key. ``kind`` is empty where Go does not know it, ``bits`` RSA's."""

    raw: bytes
    kind: str
    bits: int = 0


def algorithm(content: bytes) -> tuple[str, bytes]:
    """Return the number and the parameters of an AlgorithmIdentifier. Raise `Malformed`."""
    reader = Reader(content)
    number, parameters = oid(reader.read(OID)), reader.rest
    if reader:
        reader.element()
        parameters = parameters[: len(parameters) - len(reader.rest)]
    return number, parameters


def parse(raw: bytes) -> PublicKey:
    """Return the key of a SubjectPublicKeyInfo. Raise `Malformed` where Go reads none."""
    reader = Reader(raw).inside(SEQUENCE)
    number, parameters = algorithm(reader.read(SEQUENCE))
    data, unused = bits(reader.read(BIT_STRING))
    if unused:
        raise Malformed("malformed public key")
    if number == _EC:
        return _curve_key(raw, parameters, data)
    kind = _KINDS.get(number, "")
    if kind == RSA:
        return PublicKey(raw, RSA, _rsa_bits(parameters, data))
    if kind == ED25519 and (parameters or len(data) != 32):
        raise Malformed("malformed Ed25519 key")
    if kind == DSA:
        _check_dsa(parameters, data)
    return PublicKey(raw, kind)


def _curve_key(raw: bytes, parameters: bytes, data: bytes) -> PublicKey:
    curve = CURVES.get(oid(Reader(parameters).read(OID)))
    if not curve:
        raise Malformed("a key on an unsupported elliptic curve")
    from cryptography.hazmat.primitives.serialization import load_der_public_key

    # cryptography also reads a compressed point.
    if not data.startswith(_UNCOMPRESSED):
        raise Malformed("malformed public key")
    load_der_public_key(raw)
    return PublicKey(raw, curve)


def _rsa_bits(parameters: bytes, data: bytes) -> int:
    if parameters != bytes([NULL, 0]):
        raise Malformed("malformed RSA key")
    numbers = Reader(data).inside(SEQUENCE)
    modulus, exponent = integer(numbers.read(INTEGER)), integer(numbers.read(INTEGER))
    if modulus <= 0 or not 0 < exponent < 1 << 63:
        raise Malformed("malformed RSA key")
    return modulus.bit_length()


def _check_dsa(parameters: bytes, data: bytes) -> None:
    numbers = Reader(parameters).inside(SEQUENCE)
    values = [integer(Reader(data).read(INTEGER))]
    values += [integer(numbers.read(INTEGER)) for _ in range(3)]
    if min(values) <= 0:
        raise Malformed("malformed DSA key")


def belongs(private: PrivateKeyTypes, public: PublicKey) -> bool:
    """Return whether both are of one pair."""
    from cryptography.hazmat.primitives.serialization import load_der_public_key

    return private.public_key() == load_der_public_key(public.raw)


def weakness(scheme: bytes) -> str:
    """Return the name of the broken hash function of a signature; empty if it has another."""
    return _BROKEN.get(algorithm(scheme)[0], "")


def verifies(issuer: PublicKey, scheme: bytes, signature: bytes, signed: bytes) -> bool:
    """Return whether the issuer's key made the signature, by an algorithm that Go accepts."""
    number, parameters = algorithm(scheme)
    kind, name = _SCHEMES.get(number, ("", ""))
    if number == _PSS:
        kind, name = RSA, _pss_hashes().get(parameters, "")
    if not kind or not issuer.kind.startswith(kind) or (kind == RSA and not name):
        return False
    if issuer.kind == RSA and issuer.bits < SMALLEST_RSA:
        return False
    if kind == ED25519 and parameters:
        return False
    return _verifies(issuer, kind, name, number == _PSS, signature, signed)


def _verifies(
    issuer: PublicKey, kind: str, name: str, is_pss: bool, signature: bytes, signed: bytes
) -> bool:
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec, padding
    from cryptography.hazmat.primitives.serialization import load_der_public_key

    function: Any = getattr(hashes, name)() if name else None
    how: list[Any] = []
    if kind == RSA:
        pss = padding.PSS(padding.MGF1(function), function.digest_size)
        how = [pss if is_pss else padding.PKCS1v15(), function]
    elif kind != ED25519:
        how = [ec.ECDSA(function)]
    try:
        key: Any = load_der_public_key(issuer.raw)
        key.verify(signature, signed, *how)
    except Exception:  # noqa: BLE001  (any reason means no)
        return False
    return True


_HASH_OIDS = {"SHA256": 1, "SHA384": 2, "SHA512": 3}
_SALTS = {"SHA256": 32, "SHA384": 48, "SHA512": 64}


def _pss_hashes() -> dict[bytes, str]:
    """Return the name of the hash function by the parameters of RSASSA-PSS that Go accepts.

    One function for message and mask, a salt as long as its digest, and the only trailer.
    """
    found: dict[bytes, str] = {}
    for name, last in _HASH_OIDS.items():
        plain = _tlv(OID, bytes([0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, last]))
        functions = [_tlv(SEQUENCE, plain + null) for null in (b"", _tlv(NULL, b""))]
        for message in functions:
            for masked in functions:
                mask = _tlv(SEQUENCE, _MGF1 + masked)
                salt = _tlv(INTEGER, bytes([_SALTS[name]]))
                fields = [_tlv(0xA0, message), _tlv(0xA1, mask), _tlv(0xA2, salt)]
                for trailer in (b"", _tlv(0xA3, _tlv(INTEGER, b"\x01"))):
                    found[_tlv(SEQUENCE, b"".join(fields) + trailer)] = name
    return found


def _tlv(tag: int, content: bytes) -> bytes:
    return bytes([tag, len(content)]) + content


_MGF1 = _tlv(OID, bytes.fromhex("2a864886f70d010108"))

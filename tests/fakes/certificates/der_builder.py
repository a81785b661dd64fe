"""Certificates of any kind, wrong ones too: written by hand, signed with real keys."""

from __future__ import annotations

import base64
import dataclasses
import datetime as dt
import functools
from collections.abc import Sequence
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, padding, rsa, x25519

NAME = "aws-iam-authenticator.kube-system.svc"

BASIC_CONSTRAINTS, KEY_USAGE, EXTENDED_KEY_USAGE, SAN = (
    "2.5.29.19",
    "2.5.29.15",
    "2.5.29.37",
    "2.5.29.17",
)

_CURVES: dict[str, type[ec.EllipticCurve]] = {
    "P-224": ec.SECP224R1,
    "P-256": ec.SECP256R1,
    "P-384": ec.SECP384R1,
    "P-521": ec.SECP521R1,
    "secp256k1": ec.SECP256K1,
    "brainpool": ec.BrainpoolP256R1,
}
# The primes of RSA keys that nothing makes any more.
_SHORT_RSA = {
    "RSA-512": (
        "c20b49f83b6dc6ab5b047c42e454021a7521269b7523b960c82b9ca50bbcb351",
        "fd5ca2ed83618765cd1afcf4dfd74033578656a98dcc18176fdebbf75eea1539",
    ),
    "RSA-1022": (
        (
            "7517de43495ddd9d32af8a129e0f086a5b24e033dba0b43bc75d455867dbede0"
            "5dd64ac4d9e3f8a9f379ae934d25c8596fc177eef06a727a7f3fa97db8370ebd"
        ),
        (
            "659cfeda16c77bcf50bd0fae9f871b3f09632ee1c24e6978029e83d9fdcd0168"
            "91e5d005c508b8cff82a45be1f8e38434816328e368a2c95e8232f1ce7748de9"
        ),
    ),
}
KEYS = (
    *_CURVES,
    *_SHORT_RSA,
    "RSA-1024",
    "RSA-2048",
    "RSA-3072",
    "RSA-of-a-long-exponent",
    "Ed25519",
    "Ed448",
    "X25519",
    "DSA",
)


def key(kind: str, which: int = 0) -> Any:
    """One private key for each kind and number. Those of RSA are few: they take long."""
    return _key(kind, which % 3 if kind.startswith("RSA-") else which)


@functools.cache
def _key(kind: str, _: int) -> Any:
    if kind in _CURVES:
        return ec.generate_private_key(_CURVES[kind]())
    if kind in _SHORT_RSA:
        return _rsa(*(int(prime, 16) for prime in _SHORT_RSA[kind]))
    if kind == "RSA-of-a-long-exponent":
        numbers = _key("RSA-1024", 0).private_numbers()
        return _rsa(numbers.p, numbers.q, 4_294_967_311)
    if kind.startswith("RSA-"):
        return rsa.generate_private_key(65537, int(kind.removeprefix("RSA-")))
    if kind == "DSA":
        return dsa.generate_private_key(1024)
    makers: dict[str, Any] = {
        "Ed25519": ed25519.Ed25519PrivateKey,
        "Ed448": ed448.Ed448PrivateKey,
        "X25519": x25519.X25519PrivateKey,
    }
    return makers[kind].generate()


def _rsa(p: int, q: int, e: int = 65537) -> rsa.RSAPrivateKey:
    d = pow(e, -1, (p - 1) * (q - 1))
    remainders = (rsa.rsa_crt_dmp1(d, p), rsa.rsa_crt_dmq1(d, q), rsa.rsa_crt_iqmp(p, q))
    return rsa.RSAPrivateNumbers(
        p, q, d, *remainders, rsa.RSAPublicNumbers(e, p * q)
    ).private_key()


def tlv(tag: int, *contents: bytes) -> bytes:
    """An element of DER."""
    content = b"".join(contents)
    if len(content) < 128:
        return bytes([tag, len(content)]) + content
    length = len(content).to_bytes((len(content).bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(length)]) + length + content


def integer(value: int) -> bytes:
    return tlv(2, value.to_bytes(value.bit_length() // 8 + 1, "big", signed=True))


def oid(dotted: str) -> bytes:
    first, second, *rest = (int(part) for part in dotted.split("."))
    return tlv(6, b"".join(_base128(number) for number in (first * 40 + second, *rest)))


def _base128(number: int) -> bytes:
    digits = [number & 0x7F]
    while number := number >> 7:
        digits.append(number & 0x7F | 0x80)
    return bytes(reversed(digits))


def name(text: str, tag: int = 0x0C) -> bytes:
    return tlv(0x30, tlv(0x31, tlv(0x30, oid("2.5.4.3"), tlv(tag, text.encode("latin-1")))))


@dataclasses.dataclass(frozen=True)
class Extension:
    number: str
    value: bytes
    critical: bool = False

    @property
    def der(self) -> bytes:
        flag = tlv(1, b"\xff") if self.critical else b""
        return tlv(0x30, oid(self.number), flag, tlv(4, self.value))


def extension(value: x509.ExtensionType, *, critical: bool = False) -> Extension:
    return Extension(value.oid.dotted_string, value.public_bytes(), critical)


@dataclasses.dataclass(frozen=True)
class Draft:
    """A certificate before it is signed. What is None is as it should be."""

    subject: bytes
    key: str = "P-256"
    which: int = 0
    extensions: tuple[Extension, ...] = ()
    days: tuple[float, float] = (-1, 365)
    hash: str = "SHA256"
    pss: str = ""
    serial: int = 7
    version: int = 3
    issuer: bytes | None = None
    public: bytes | None = None
    validity: bytes | None = None
    scheme: bytes | None = None
    outer_scheme: bytes | None = None
    spoiled: bool = False
    trailing: bytes = b""
    flip: int = 0

    def with_extension(self, *added: Extension) -> Draft:
        """The same with these in place of those of the same kinds."""
        numbers = {new.number for new in added}
        kept = tuple(old for old in self.extensions if old.number not in numbers)
        return dataclasses.replace(self, extensions=(*kept, *added))

    def without(self, number: str) -> Draft:
        kept = tuple(old for old in self.extensions if old.number != number)
        return dataclasses.replace(self, extensions=kept)


def leaf(*names: str, subject: str = "leaf") -> Draft:
    alternatives = x509.SubjectAlternativeName([x509.DNSName(text) for text in names or [NAME]])
    return Draft(name(subject), which=1, extensions=(extension(alternatives),))


def authority(subject: str, which: int = 2, **changes: Any) -> Draft:
    constraints = x509.BasicConstraints(ca=True, path_length=None)
    draft = Draft(name(subject), which=which, extensions=(extension(constraints, critical=True),))
    return dataclasses.replace(draft, **changes)


def sign(draft: Draft, issuer: Draft | None = None) -> bytes:
    """The certificate as DER, signed by ``issuer``, or by itself."""
    signer = issuer or draft
    scheme = draft.scheme or _scheme(signer.key, draft.hash, draft.pss)
    version = tlv(0xA0, integer(draft.version - 1)) if draft.version > 1 else b""
    extensions = b"".join(extension.der for extension in draft.extensions)
    signed = tlv(
        0x30,
        version,
        integer(draft.serial),
        scheme,
        draft.issuer or signer.subject,
        draft.validity or tlv(0x30, *(_time(days) for days in draft.days)),
        draft.subject,
        draft.public or public(key(draft.key, draft.which)),
        tlv(0xA3, tlv(0x30, extensions)) if draft.extensions else b"",
    )
    if draft.flip:
        signed = _flipped(signed, draft.flip)
    signature = _signature(key(signer.key, signer.which), signed, draft.hash, draft.pss)
    if draft.spoiled:
        signature = signature[:-1] + bytes([signature[-1] ^ 1])
    outer = draft.outer_scheme or scheme
    return tlv(0x30, signed, outer, tlv(3, b"\0", signature)) + draft.trailing


def _flipped(data: bytes, flip: int) -> bytes:
    """The data with another byte in one place."""
    at, change = flip % len(data), 1 + flip // len(data) % 255
    return data[:at] + bytes([data[at] ^ change]) + data[at + 1 :]


def pem(der: bytes, label: str = "CERTIFICATE") -> str:
    text = base64.b64encode(der).decode()
    lines = [text[at : at + 64] for at in range(0, len(text), 64)]
    return "\n".join([f"-----BEGIN {label}-----", *lines, f"-----END {label}-----", ""])


def key_pem(draft: Draft, form: str = "PKCS8") -> str:
    return (
        key(draft.key, draft.which)
        .private_bytes(
            serialization.Encoding.PEM,
            getattr(serialization.PrivateFormat, form),
            serialization.NoEncryption(),
        )
        .decode()
    )


def odd_keys(draft: Draft) -> dict[str, bytes]:
    """The private key in encodings that few programs write, some of them wrong. P-256 or RSA
    or Ed25519."""
    private = key(draft.key, draft.which)
    if draft.key == "Ed25519":
        odd = _odd_ed25519(private)
    else:
        odd = _odd_rsa(private) if draft.key.startswith("RSA-") else _odd_p256(private)
    return {**odd, **_with_more(private)}


def _with_more(private: Any) -> dict[str, bytes]:
    """The private key with what RFC 5958 lets follow it, and with what it does not."""
    usual = private.private_bytes(
        serialization.Encoding.DER,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    start = 2 + (usual[1] & 0x7F if usual[1] > 0x7F else 0)
    number, fields = usual[start : start + 3], usual[start + 3 :]
    half = tlv(0x81, b"\0", public(private))
    return {
        "with the public key": tlv(0x30, integer(1), fields, half),
        "with attributes and the public key": tlv(0x30, integer(1), fields, tlv(0xA0), half),
        "with the public key of another": tlv(0x30, integer(1), fields, tlv(0x81, b"\0a")),
        "with the public key in version 0": tlv(0x30, number, fields, half),
        "of version 1": tlv(0x30, integer(1), fields),
        "with something": tlv(0x30, number, fields, integer(1)),
        "in a set": b"\x31" + usual[1:],
        "with a version that is no number": tlv(0x30, b"\x03" + number[1:], fields),
        "in a long form": b"\x30\x83\0" + len(usual[start:]).to_bytes(2, "big") + usual[start:],
    }


def _pkcs8(algorithm: bytes, content: bytes, *more: bytes) -> bytes:
    return tlv(0x30, integer(0), tlv(0x30, algorithm), tlv(4, content), *more)


def _odd_ed25519(private: ed25519.Ed25519PrivateKey) -> dict[str, bytes]:
    seed, algorithm = tlv(4, private.private_bytes_raw()), oid("1.3.101.112")
    return {
        "with attributes": _pkcs8(algorithm, seed, tlv(0xA0)),
        "with parameters": _pkcs8(algorithm + tlv(5), seed),
        "short": _pkcs8(algorithm, tlv(4, seed[3:])),
    }


def _odd_p256(private: ec.EllipticCurvePrivateKey) -> dict[str, bytes]:
    number, curve = private.private_numbers().private_value, oid("1.2.840.10045.3.1.7")
    secret, padded = (tlv(4, number.to_bytes(size, "big")) for size in (32, 33))
    bare, whole = (tlv(0x30, integer(1), secret, more) for more in (b"", tlv(0xA0, curve)))
    algorithm = oid("1.2.840.10045.2.1")
    return {
        "without the public key": whole,
        "padded": tlv(0x30, integer(1), padded, tlv(0xA0, curve)),
        "without a curve": bare,
        "with the curve outside": _pkcs8(algorithm + curve, bare),
        "with the curve twice": _pkcs8(algorithm + curve, whole),
        "with the curve inside": _pkcs8(algorithm + tlv(5), whole),
        "on another curve": _pkcs8(algorithm + oid("1.3.132.0.10"), whole),
        "of another version": tlv(0x30, integer(2), secret, tlv(0xA0, curve)),
        "and something": _pkcs8(algorithm + curve, bare) + b"\0",
        "zero": tlv(0x30, integer(1), tlv(4, bytes(32)), tlv(0xA0, curve)),
        "all ones": tlv(0x30, integer(1), tlv(4, b"\xff" * 32), tlv(0xA0, curve)),
    }


def _odd_rsa(private: rsa.RSAPrivateKey) -> dict[str, bytes]:
    key = private.private_numbers()
    n, e = key.public_numbers.n, key.public_numbers.e
    fields = [0, n, e, key.d, key.p, key.q, key.dmp1, key.dmq1, key.iqmp]

    def encoded(changes: dict[int, int]) -> bytes:
        return tlv(0x30, *(integer(changes.get(at, field)) for at, field in enumerate(fields)))

    order = (key.p - 1) * (key.q - 1)
    swapped = {4: key.q, 5: key.p, 6: key.dmq1, 7: key.dmp1, 8: pow(key.p, -1, key.q)}
    return {
        "plain": encoded({}),
        "swapped": encoded(swapped),
        "half swapped": encoded({4: key.q, 5: key.p}),
        "long exponent": encoded({3: pow(e, -1, order) + order}),
        "and something": encoded({}) + b"\0",
        "of version 2": encoded({0: 2}),
        "for PSS": _pkcs8(oid("1.2.840.113549.1.1.10"), encoded({})),
        "without parameters": _pkcs8(oid("1.2.840.113549.1.1.1"), encoded({})),
        **{f"number {at} wrong": encoded({at: fields[at] + 2}) for at in range(3, 9)},
    }


def public(private: Any) -> bytes:
    return private.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )


def _time(days: float) -> bytes:
    time = dt.datetime.now(dt.timezone.utc) + dt.timedelta(days=days)
    if 1950 <= time.year < 2050:
        return tlv(0x17, f"{time:%y%m%d%H%M%SZ}".encode())
    return tlv(0x18, f"{time:%Y%m%d%H%M%SZ}".encode())


_NULL = tlv(5)
_RSA = {
    "MD5": "1.2.840.113549.1.1.4",
    "SHA1": "1.2.840.113549.1.1.5",
    "SHA224": "1.2.840.113549.1.1.14",
    "SHA256": "1.2.840.113549.1.1.11",
    "SHA384": "1.2.840.113549.1.1.12",
    "SHA512": "1.2.840.113549.1.1.13",
    "SHA3_256": "2.16.840.1.101.3.4.3.14",
}
_ECDSA = {
    "SHA1": "1.2.840.10045.4.1",
    "SHA224": "1.2.840.10045.4.3.1",
    "SHA256": "1.2.840.10045.4.3.2",
    "SHA384": "1.2.840.10045.4.3.3",
    "SHA512": "1.2.840.10045.4.3.4",
    "SHA3_256": "2.16.840.1.101.3.4.3.10",
}
_OTHERS = {"Ed25519": "1.3.101.112", "Ed448": "1.3.101.113", "DSA": "2.16.840.1.101.3.4.3.2"}
_HASHES = {
    "SHA1": "1.3.14.3.2.26",
    "SHA256": "2.16.840.1.101.3.4.2.1",
    "SHA384": "2.16.840.1.101.3.4.2.2",
    "SHA512": "2.16.840.1.101.3.4.2.3",
}
# Names of the kinds of RSASSA-PSS: the salt's length, and the mask's hash, where another.
PSS: dict[str, tuple[int | None, str]] = {
    "usual": (None, ""),
    "short salt": (20, ""),
    "long salt": (48, ""),
    "SHA-1 mask": (None, "SHA1"),
}


def _scheme(kind: str, function: str, pss: str) -> bytes:
    if kind.startswith("RSA-") and pss:
        salt, mask = PSS[pss]
        digest = tlv(0x30, oid(_HASHES[function]), _NULL)
        masked = tlv(0x30, oid(_HASHES[mask or function]), _NULL)
        fields = (
            tlv(0xA0, digest),
            tlv(0xA1, tlv(0x30, oid("1.2.840.113549.1.1.8"), masked)),
            tlv(0xA2, integer(salt or getattr(hashes, function)().digest_size)),
        )
        return tlv(0x30, oid("1.2.840.113549.1.1.10"), tlv(0x30, *fields))
    if kind.startswith("RSA-"):
        return tlv(0x30, oid(_RSA[function]), _NULL)
    return tlv(
        0x30, oid(_ECDSA.get(function, "1.2.3") if kind in _CURVES else _OTHERS.get(kind, "1.2.3"))
    )


def _signature(private: Any, signed: bytes, function: str, pss: str) -> bytes:
    if isinstance(private, rsa.RSAPrivateKey):
        digest = getattr(hashes, function)()
        salt, mask = PSS[pss] if pss else (None, "")
        how: Any = padding.PKCS1v15()
        if pss:
            masked = getattr(hashes, mask or function)()
            how = padding.PSS(padding.MGF1(masked), salt or digest.digest_size)
        # A short key has no room for a salt.
        return private.sign(signed, how, digest) if private.key_size > 1000 else b"too short"
    if isinstance(private, ec.EllipticCurvePrivateKey):
        return private.sign(signed, ec.ECDSA(getattr(hashes, function)()))
    if isinstance(private, dsa.DSAPrivateKey):
        return private.sign(signed, hashes.SHA256())
    if isinstance(private, x25519.X25519PrivateKey):
        return b"it cannot sign"
    return private.sign(signed)


def chain(drafts: Sequence[Draft]) -> list[bytes]:
    """The certificates, each signed by the next, the last by itself."""
    issuers = [*drafts[1:], None]
    return [sign(draft, issuer) for draft, issuer in zip(drafts, issuers, strict=True)]

"""A certificate, taken apart. Pure.

By ``parseCertificate`` of Go's ``crypto/x509/parser.go``. cryptography reads most of it later
and some of it otherwise: names in another alphabet, negative serial numbers, keys on curves
that Go does not know. Where Go refuses the whole certificate, so does this.
"""

from __future__ import annotations

import dataclasses
import datetime
import re

from certificates.verdict import extensions, keys
from certificates.verdict.der import (
    BIT_STRING,
    CONSTRUCTED,
    CONTEXT,
    GENERALIZED_TIME,
    INTEGER,
    OID,
    SEQUENCE,
    SET,
    UTC_TIME,
    Malformed,
    Reader,
    bits,
    integer,
    oid,
)

_VERSION, _EXTENSIONS = CONTEXT | CONSTRUCTED | 0, CONTEXT | CONSTRUCTED | 3
_UNIQUE_IDS = (CONTEXT | 1, CONTEXT | 2)
_UTC = re.compile(r"(\d{2})(\d{8})(\d{2})?(Z|[+-]\d{4})", re.ASCII)
_GENERALIZED = re.compile(r"(\d{4})(\d{8})(\d{2})(Z|[+-]\d{4})", re.ASCII)
_LAST_YEAR = 2049


@dataclasses.dataclass(frozen=True)
class Certificate:
    """A certificate. Its names, its key and what is signed are their bytes.

    Attributes:
        version: 1 to 3.
        signed: The bytes that the signature is for.
        scheme: The signature's algorithm, as its bytes.
    """

    raw: bytes
    version: int
    signed: bytes
    scheme: bytes
    signature: bytes
    issuer: bytes
    subject: bytes
    starts: datetime.datetime
    ends: datetime.datetime
    key: keys.PublicKey
    extensions: extensions.Extensions


def parse(der: bytes) -> Certificate:
    """Return the certificate. Raise `Malformed` where Go reads none."""
    outer = Reader(der)
    certificate = outer.inside(SEQUENCE)
    if outer:
        raise Malformed("something follows the certificate")
    signed = certificate.raw(SEQUENCE)
    fields = Reader(signed).inside(SEQUENCE)
    version = _version(fields)
    if integer(fields.read(INTEGER)) < 0:
        raise Malformed("negative serial number")
    scheme = fields.read(SEQUENCE)
    if certificate.read(SEQUENCE) != scheme:
        raise Malformed("two signature algorithms")
    keys.algorithm(scheme)
    issuer = _name(fields)
    validity = fields.inside(SEQUENCE)
    starts, ends = _time(validity), _time(validity)
    subject = _name(fields)
    key = keys.parse(fields.raw(SEQUENCE))
    found = _extensions(fields, version)
    # Go aligns bits that do not fill the last byte; no signature has such.
    signature, _ = bits(certificate.read(BIT_STRING))
    return Certificate(
        der, version, signed, scheme, signature, issuer, subject, starts, ends, key, found
    )


def _version(fields: Reader) -> int:
    if not fields.next_is(_VERSION):
        return 1
    inner = fields.inside(_VERSION)
    version = integer(inner.read(INTEGER)) + 1
    if inner or not 1 <= version <= 3:
        raise Malformed("unknown version")
    return version


def _extensions(fields: Reader, version: int) -> extensions.Extensions:
    if version > 1:
        for unique_id in _UNIQUE_IDS:
            fields.optional(unique_id)
    if version < 3 or not fields.next_is(_EXTENSIONS):
        return extensions.Extensions()
    return extensions.parse(fields.inside(_EXTENSIONS).inside(SEQUENCE))


def _name(fields: Reader) -> bytes:
    """Return the bytes of a name whose texts are what their types say."""
    raw = fields.raw(SEQUENCE)
    sets = Reader(raw).inside(SEQUENCE)
    while sets:
        attributes = sets.inside(SET)
        while attributes:
            attribute = attributes.inside(SEQUENCE)
            oid(attribute.read(OID))
            tag, text = attribute.element()
            if not _is_text(tag, text):
                raise Malformed("a name with malformed text")
    return raw


_UTF8, _NUMERIC, _PRINTABLE, _T61, _IA5, _BMP = 0x0C, 0x12, 0x13, 0x14, 0x16, 0x1E
_ALPHABETS = {
    _NUMERIC: re.compile(rb"[0-9 ]*"),
    # The asterisk and the ampersand are not allowed, but common.
    _PRINTABLE: re.compile(rb"[A-Za-z0-9'()+,\-./ :=?*&]*"),
    _T61: re.compile(rb".*", re.DOTALL),
    _IA5: re.compile(rb"[\x00-\x7f]*"),
}


def _is_text(tag: int, text: bytes) -> bool:
    if tag == _UTF8:
        return _decodes(text, "utf-8")
    if tag == _BMP:
        return len(text) % 2 == 0 and _is_plane(text)
    return tag in _ALPHABETS and bool(_ALPHABETS[tag].fullmatch(text))


def _is_plane(text: bytes) -> bool:
    if text.endswith(b"\x00\x00"):
        text = text[:-2]
    points = [int.from_bytes(text[at : at + 2], "big") for at in range(0, len(text), 2)]
    return not any(
        0xD800 <= point <= 0xDFFF or 0xFDD0 <= point <= 0xFDEF or point >= 0xFFFE
        for point in points
    )


def _decodes(text: bytes, encoding: str) -> bool:
    try:
        text.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True


def _time(validity: Reader) -> datetime.datetime:
    tag, content = validity.element()
    pattern = {UTC_TIME: _UTC, GENERALIZED_TIME: _GENERALIZED}.get(tag)
    found = pattern.fullmatch(content.decode("latin-1")) if pattern else None
    if not found or found[4] in ("+0000", "-0000"):
        raise Malformed("malformed time")
    zone = "+0000" if found[4] == "Z" else found[4]
    try:
        time = datetime.datetime.strptime(
            f"{_year(found[1])}{found[2]}{found[3] or '00'}{zone}", "%Y%m%d%H%M%S%z"
        )
        return time.astimezone(datetime.timezone.utc)
    except (ValueError, OverflowError):
        raise Malformed("malformed time") from None


def _year(digits: str) -> str:
    """Return the year of a time. Two digits mean one from 1950 to 2049."""
    if len(digits) == 4:
        return digits
    return f"20{digits}" if int(digits) <= _LAST_YEAR % 100 else f"19{digits}"

"""What a certificate's extensions say. Pure.

By ``processExtensions`` of Go's ``crypto/x509/parser.go``: an extension that Go does not know
counts if it is critical, and what is malformed in one that it knows spoils the certificate.
"""

from __future__ import annotations

import dataclasses
import ipaddress
from collections.abc import Callable
from typing import Any

from certificates.verdict import constraints, names
from certificates.verdict.constraints import AlternativeNames, Constraints
from certificates.verdict.der import (
    BIT_STRING,
    BOOLEAN,
    CONSTRUCTED,
    CONTEXT,
    INTEGER,
    OCTET_STRING,
    OID,
    SEQUENCE,
    Malformed,
    Reader,
    bits,
    boolean,
    check_oid,
    integer,
    oid,
)

_CERT_SIGN = 5
_USAGES = 9
_URI = CONTEXT | constraints.URI
_INT64 = 1 << 63


@dataclasses.dataclass(frozen=True)
class Extensions:
    """The extensions of a certificate, of those that Go reads.

    Attributes:
        unknown: The critical extensions that Go cannot check, by their numbers.
        is_ca: None where there are no basic constraints.
        path_length: How many intermediates may stand below; None for any number.
        may_sign: What the key usage says of certificates; True where it says nothing.
        usages: The extended key usages; empty for any.
        san: The bytes of the alternative names; None where there are none.
        explicit_policy: After how many certificates a policy is required.
    """

    unknown: tuple[str, ...] = ()
    is_ca: bool | None = None
    path_length: int | None = None
    may_sign: bool = True
    usages: tuple[str, ...] = ()
    san: bytes | None = None
    names: AlternativeNames = dataclasses.field(default_factory=AlternativeNames)
    constraints: Constraints | None = None
    subject_key: bytes = b""
    authority_key: bytes = b""
    policies: tuple[bytes, ...] = ()
    policy_mappings: tuple[tuple[bytes, bytes], ...] = ()
    explicit_policy: int | None = None
    inhibit_mapping: int | None = None
    inhibit_any: int | None = None


def parse(extensions: Reader) -> Extensions:
    """Return what a sequence of extensions says. Raise `Malformed`."""
    seen: set[str] = set()
    found: dict[str, Any] = {}
    unknown: list[str] = []
    while extensions:
        extension = extensions.inside(SEQUENCE)
        number = oid(extension.read(OID))
        critical = boolean(extension.read(BOOLEAN)) if extension.next_is(BOOLEAN) else False
        value = extension.read(OCTET_STRING)
        if number in seen:
            raise Malformed(f"extension {number} twice")
        seen.add(number)
        if critical and number in _NEVER_CRITICAL:
            raise Malformed(f"extension {number} must not be critical")
        fields = _READERS[number](value) if number in _READERS else None
        found |= fields or {}
        if critical and (fields is None or not _is_complete(fields)):
            unknown.append(number)
    return Extensions(**found, unknown=tuple(unknown))


def _is_complete(fields: dict[str, Any]) -> bool:
    """Return whether Go knows at least one of the names, or all of the name constraints."""
    rule = fields.get("constraints")
    known = fields.get("names")
    return (rule is None or rule.complete) and (known is None or known != AlternativeNames())


def _basic_constraints(value: bytes) -> dict[str, Any]:
    inner = Reader(value).inside(SEQUENCE)
    is_ca = boolean(inner.read(BOOLEAN)) if inner.next_is(BOOLEAN) else False
    length = integer(inner.read(INTEGER)) if inner.next_is(INTEGER) else None
    if length is not None and not 0 <= length < _INT64:
        raise Malformed("malformed basic constraints")
    return {"is_ca": is_ca, "path_length": length}


def _key_usage(value: bytes) -> dict[str, Any]:
    data, _ = bits(Reader(value).read(BIT_STRING))
    flags = "".join(f"{byte:08b}" for byte in data[:2])[:_USAGES].ljust(_USAGES, "0")
    return {"may_sign": "1" not in flags or flags[_CERT_SIGN] == "1"}


def _extended_key_usage(value: bytes) -> dict[str, Any]:
    inner = Reader(value).inside(SEQUENCE)
    usages: list[str] = []
    while inner:
        usages.append(oid(inner.read(OID)))
    return {"usages": tuple(usages)}


def _alternative_names(value: bytes) -> dict[str, Any]:
    inner = Reader(value).inside(SEQUENCE)
    found: list[tuple[int, bytes]] = []
    while inner:
        tag, content = inner.element()
        found.append((tag ^ CONTEXT, content))
    texts = {
        kind: [constraints.ascii_text(content) for tag, content in found if tag == kind]
        for kind in (constraints.DNS, constraints.MAIL, constraints.URI)
    }
    known = AlternativeNames(
        dns=tuple(texts[constraints.DNS]),
        ip=tuple(_address(content) for tag, content in found if tag == constraints.IP),
        mail=tuple(texts[constraints.MAIL]),
        uri=tuple(names.uri_host(text) for text in texts[constraints.URI]),
    )
    return {"san": value, "names": known}


def _address(content: bytes) -> constraints.Address:
    if len(content) not in (4, 16):
        raise Malformed("malformed IP address")
    return ipaddress.ip_address(content)


def _name_constraints(value: bytes) -> dict[str, Any]:
    return {"constraints": constraints.parse(value)}


def _subject_key(value: bytes) -> dict[str, Any]:
    return {"subject_key": Reader(value).read(OCTET_STRING)}


def _authority_key(value: bytes) -> dict[str, Any]:
    return {"authority_key": Reader(value).inside(SEQUENCE).optional(CONTEXT | 0) or b""}


def _policies(value: bytes) -> dict[str, Any]:
    inner = Reader(value).inside(SEQUENCE)
    policies: list[bytes] = []
    while inner:
        policies.append(check_oid(inner.inside(SEQUENCE).read(OID)))
    if len(set(policies)) < len(policies):
        raise Malformed("a certificate policy twice")
    return {"policies": tuple(policies)}


def _policy_mappings(value: bytes) -> dict[str, Any]:
    inner = Reader(value).inside(SEQUENCE)
    mappings: list[tuple[bytes, bytes]] = []
    while inner:
        mapping = inner.inside(SEQUENCE)
        mappings.append((mapping.read(OID), mapping.read(OID)))
    return {"policy_mappings": tuple(mappings)}


def _policy_constraints(value: bytes) -> dict[str, Any]:
    inner = Reader(value).inside(SEQUENCE)
    explicit, inhibit = (inner.optional(CONTEXT | tag) for tag in (0, 1))
    return {"explicit_policy": _depth(explicit), "inhibit_mapping": _depth(inhibit)}


def _inhibit_any_policy(value: bytes) -> dict[str, Any]:
    return {"inhibit_any": _depth(Reader(value).read(INTEGER))}


def _depth(content: bytes | None) -> int | None:
    """Return a number of certificates. Go takes a negative one for none."""
    if content is None:
        return None
    number = integer(content)
    if not -_INT64 <= number < _INT64:
        raise Malformed("malformed policy constraints")
    return number if number >= 0 else None


def _distribution_points(value: bytes) -> dict[str, Any]:
    points = Reader(value).inside(SEQUENCE)
    while points:
        point = points.inside(SEQUENCE)
        if not point.next_is(CONTEXT | CONSTRUCTED | 0):
            continue
        full = point.inside(CONTEXT | CONSTRUCTED | 0).inside(CONTEXT | CONSTRUCTED | 0)
        while full.next_is(_URI):
            full.read(_URI)
    return {}


def _information_access(value: bytes) -> dict[str, Any]:
    descriptions = Reader(value).inside(SEQUENCE)
    while descriptions:
        description = descriptions.inside(SEQUENCE)
        oid(description.read(OID))
        description.optional(_URI)
    return {}


_SUBJECT_KEY, _AUTHORITY_KEY, _INFORMATION_ACCESS = "2.5.29.14", "2.5.29.35", "1.3.6.1.5.5.7.1.1"
_NEVER_CRITICAL = (_SUBJECT_KEY, _AUTHORITY_KEY, _INFORMATION_ACCESS)
_READERS: dict[str, Callable[[bytes], dict[str, Any]]] = {
    _SUBJECT_KEY: _subject_key,
    "2.5.29.15": _key_usage,
    "2.5.29.17": _alternative_names,
    "2.5.29.19": _basic_constraints,
    "2.5.29.30": _name_constraints,
    "2.5.29.31": _distribution_points,
    "2.5.29.32": _policies,
    "2.5.29.33": _policy_mappings,
    _AUTHORITY_KEY: _authority_key,
    "2.5.29.36": _policy_constraints,
    "2.5.29.37": _extended_key_usage,
    "2.5.29.54": _inhibit_any_policy,
    _INFORMATION_ACCESS: _information_access,
}

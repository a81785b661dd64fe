"""What can be wrong with a certificate, by kind and name. Some of it does no harm."""

from __future__ import annotations

import dataclasses
import ipaddress
import random
from collections.abc import Callable, Sequence

from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID
from tests.fakes.certificates import der_builder
from tests.fakes.certificates.der_builder import (
    NAME,
    Draft,
    Extension,
    extension,
    integer,
    oid,
    tlv,
)

Flaw = Callable[[Draft], Draft]
"""What is done to a certificate before it is signed."""


def _replace(**changes: object) -> Flaw:
    return lambda draft: dataclasses.replace(draft, **changes)


def _with(*values: x509.ExtensionType, critical: bool = False) -> Flaw:
    added = [extension(value, critical=critical) for value in values]
    return lambda draft: draft.with_extension(*added)


def _raw(number: str, value: bytes, *, critical: bool = False) -> Flaw:
    return lambda draft: draft.with_extension(Extension(number, value, critical))


def _usages(*usages: str) -> Flaw:
    return _with(x509.ExtendedKeyUsage([x509.ObjectIdentifier(usage) for usage in usages]))


def _key_usage(*names: str) -> Flaw:
    flags = dict.fromkeys(
        [
            "digital_signature",
            "content_commitment",
            "key_encipherment",
            "data_encipherment",
            "key_agreement",
            "key_cert_sign",
            "crl_sign",
            "encipher_only",
            "decipher_only",
        ],
        False,
    )
    return _with(x509.KeyUsage(**flags | dict.fromkeys(names, True)), critical=True)


def _basic(*, ca: bool, length: int | None = None) -> Flaw:
    return _with(x509.BasicConstraints(ca=ca, path_length=length), critical=True)


def sans(*names: tuple[int, bytes]) -> Flaw:
    value = tlv(0x30, *(tlv(tag, content) for tag, content in names))
    return _raw(der_builder.SAN, value)


def _and(tag: int, content: bytes) -> Flaw:
    """The right name and another one."""
    return sans((DNS, NAME.encode()), (tag, content))


def constraints(
    permitted: Sequence[tuple[int, bytes]] = (), excluded: Sequence[tuple[int, bytes]] = ()
) -> Flaw:
    fields = [
        tlv(tag, *(tlv(0x30, tlv(*base)) for base in bases))
        for tag, bases in ((0xA0, permitted), (0xA1, excluded))
        if bases
    ]
    return _raw("2.5.29.30", tlv(0x30, *fields), critical=True)


def _twice(draft: Draft) -> Draft:
    return dataclasses.replace(draft, extensions=(*draft.extensions, *draft.extensions[-1:]))


def _cut(draft: Draft) -> Draft:
    """The last extension's value without its last byte."""
    *kept, last = draft.extensions
    last = dataclasses.replace(last, value=last.value[:-1])
    return dataclasses.replace(draft, extensions=(*kept, last))


def _public(transform: Callable[[bytes], bytes]) -> Flaw:
    return lambda draft: dataclasses.replace(
        draft, public=transform(der_builder.public(der_builder.key(draft.key, draft.which)))
    )


def _subject(*attributes: bytes) -> Flaw:
    return lambda draft: dataclasses.replace(
        draft, subject=tlv(0x30, tlv(0x31, tlv(0x30, oid("2.5.4.10"), *attributes)))
    )


def _name_of(kind: str, tag: int) -> bytes:
    """A name with one attribute, whose text fits most tags."""
    return tlv(0x30, tlv(0x31, tlv(0x30, oid(kind), tlv(tag, b"1234"))))


def _compressed(public: bytes) -> bytes:
    """A point by its first coordinate."""
    start = public.find(b"\x00\x04")
    if start < 0:
        return public
    size = (len(public) - start - 2) // 2
    point = public[start + 2 : start + 2 + size]
    sign = 2 + (public[-1] & 1)
    head = der_builder.tlv(3, b"\0", bytes([sign]), point)
    inner = public[2 : start - 2] if public[1] < 128 else public[3 : start - 3]
    return tlv(0x30, inner, head)


def _validity(starts: bytes, ends: bytes) -> Flaw:
    return _replace(validity=tlv(0x30, starts, ends))


MAIL, DNS, X400, DIRECTORY, URI, IP, REGISTERED = 0x81, 0x82, 0xA3, 0xA4, 0x86, 0x87, 0x88
_PARENT = NAME.partition(".")[2]
_ANY_POLICY, _ONE, _TWO = "2.5.29.32.0", "1.2.3.1", "1.2.3.2"
_V4, _V6 = (ipaddress.ip_address(text).packed for text in ("10.152.183.20", "fd00::20"))


def _policies(*policies: str) -> Flaw:
    return _raw("2.5.29.32", tlv(0x30, *(tlv(0x30, oid(policy)) for policy in policies)))


def _mappings(*pairs: tuple[str, str], critical: bool = False) -> Flaw:
    encoded = (tlv(0x30, oid(above), oid(below)) for above, below in pairs)
    return _raw("2.5.29.33", tlv(0x30, *encoded), critical=critical)


def _number(tag: int, value: int) -> bytes:
    return bytes([tag]) + integer(value)[1:]


FLAWS: dict[str, dict[str, Flaw]] = {
    "time": {
        "not yet": _replace(days=(1, 30)),
        "over": _replace(days=(-30, -1)),
        "after 2050": _replace(days=(-1, 20_000)),
        "generalized": _validity(tlv(0x18, b"20200101000000Z"), tlv(0x18, b"20480101000000Z")),
        "without seconds": _validity(tlv(0x17, b"2001010000Z"), tlv(0x17, b"4801010000Z")),
        "with a zone": _validity(tlv(0x17, b"200101000000+0100"), tlv(0x17, b"480101000000-0900")),
        "at zone zero": _validity(tlv(0x17, b"200101000000+0000"), tlv(0x17, b"480101000000Z")),
        "in 1950": _validity(tlv(0x17, b"500101000000Z"), tlv(0x17, b"490101000000Z")),
        "leap second": _validity(tlv(0x17, b"200101000060Z"), tlv(0x17, b"490101000000Z")),
        "fraction": _validity(tlv(0x18, b"20200101000000.5Z"), tlv(0x17, b"490101000000Z")),
        "year 9999": _validity(tlv(0x17, b"200101000000Z"), tlv(0x18, b"99991231235959Z")),
        "no such day": _validity(tlv(0x17, b"200230000000Z"), tlv(0x17, b"490101000000Z")),
    },
    "usage": {
        "client": _usages(ExtendedKeyUsageOID.CLIENT_AUTH.dotted_string),
        "server": _usages(ExtendedKeyUsageOID.SERVER_AUTH.dotted_string),
        "both": _usages("1.3.6.1.5.5.7.3.1", "1.3.6.1.5.5.7.3.2"),
        "any": _usages("2.5.29.37.0"),
        "unknown": _usages("1.2.3.4"),
        "netscape": _usages("2.16.840.1.113730.4.1"),
        "huge number": _usages(f"2.25.{1 << 100}"),
        "empty": _raw(der_builder.EXTENDED_KEY_USAGE, tlv(0x30)),
        "malformed": _raw(der_builder.EXTENDED_KEY_USAGE, tlv(0x30, integer(1))),
    },
    "basic constraints": {
        "no CA": _basic(ca=False),
        "CA": _basic(ca=True),
        "length 0": _basic(ca=True, length=0),
        "length 1": _basic(ca=True, length=1),
        "none": lambda draft: draft.without(der_builder.BASIC_CONSTRAINTS),
        "empty": _raw(der_builder.BASIC_CONSTRAINTS, tlv(0x30)),
        "bad truth": _raw(der_builder.BASIC_CONSTRAINTS, tlv(0x30, tlv(1, b"\x01"))),
        "negative": _raw(der_builder.BASIC_CONSTRAINTS, tlv(0x30, tlv(1, b"\xff"), integer(-1))),
        "huge": _raw(der_builder.BASIC_CONSTRAINTS, tlv(0x30, tlv(1, b"\xff"), integer(1 << 63))),
        "length only": _raw(der_builder.BASIC_CONSTRAINTS, tlv(0x30, integer(3))),
    },
    "key usage": {
        "signing certificates": _key_usage("key_cert_sign", "crl_sign"),
        "signatures": _key_usage("digital_signature", "key_encipherment"),
        "decipher only": _key_usage("key_agreement", "decipher_only"),
        "empty": _raw(der_builder.KEY_USAGE, tlv(3, b"\0"), critical=True),
        "zero": _raw(der_builder.KEY_USAGE, tlv(3, b"\x02\0"), critical=True),
        "long": _raw(der_builder.KEY_USAGE, tlv(3, b"\0\0\0\xff"), critical=True),
        "bad padding": _raw(der_builder.KEY_USAGE, tlv(3, b"\x02\x07")),
        "malformed": _raw(der_builder.KEY_USAGE, b"\x03"),
    },
    "key": {kind: _replace(key=kind) for kind in der_builder.KEYS},
    "public key": {
        "compressed": _public(_compressed),
        "RSA without parameters": _public(lambda raw: raw.replace(b"\x01\x01\x01\x05\x00", b"")),
        "off its curve": _public(lambda raw: raw[:-1] + bytes([raw[-1] ^ 1])),
        "unknown curve": _public(
            lambda raw: raw.replace(b"\xce\x3d\x03\x01", b"\xce\x3d\x03\x7f")
        ),
        "unknown kind": _public(lambda raw: raw.replace(b"\xce\x3d\x02\x01", b"\xce\x3d\x02\x7f")),
        "RSA for PSS": _public(lambda raw: raw.replace(b"\x01\x01\x01\x05", b"\x01\x01\x0a\x05")),
        "of a too large number": _replace(
            public=tlv(0x30, tlv(0x30, oid(f"1.3.{1 << 31}")), tlv(3, b"\0a"))
        ),
        "long RSA": _replace(
            public=tlv(
                0x30,
                tlv(0x30, oid("1.2.840.113549.1.1.1"), tlv(5)),
                tlv(3, b"\0", tlv(0x30, integer((1 << 8999) + 1), integer(65537))),
            )
        ),
        "Ed25519 with parameters": _replace(
            public=tlv(0x30, tlv(0x30, oid("1.3.101.112"), tlv(5)), tlv(3, bytes(33)))
        ),
        "short Ed25519": _replace(
            public=tlv(0x30, tlv(0x30, oid("1.3.101.112")), tlv(3, bytes(32)))
        ),
    },
    "signature": {
        **{function: _replace(hash=function) for function in ("MD5", "SHA1", "SHA224")},
        **{function: _replace(hash=function) for function in ("SHA384", "SHA512", "SHA3_256")},
        **{f"PSS {pss}": _replace(pss=pss) for pss in der_builder.PSS},
        "PSS SHA512": _replace(pss="usual", hash="SHA512"),
        "spoiled": _replace(spoiled=True),
        "Ed25519 with parameters": _replace(scheme=tlv(0x30, oid("1.3.101.112"), tlv(5))),
        "RSA without parameters": _replace(scheme=tlv(0x30, oid("1.2.840.113549.1.1.11"))),
        "unknown": _replace(scheme=tlv(0x30, oid("1.2.3"))),
        "of a too large number": _replace(scheme=tlv(0x30, oid(f"1.3.{1 << 31}"))),
        "two algorithms": _replace(outer_scheme=tlv(0x30, oid("1.2.840.113549.1.1.12"), tlv(5))),
    },
    "serial": {
        "zero": _replace(serial=0),
        "negative": _replace(serial=-5),
        "long": _replace(serial=1 << 300),
    },
    "version": {
        "1": lambda draft: dataclasses.replace(draft, version=1, extensions=()),
        "1 with extensions": _replace(version=1),
        "2 with extensions": _replace(version=2),
        "4": _replace(version=4),
    },
    "DER": {
        "extension twice": _twice,
        "extension cut": _cut,
        "something after": _replace(trailing=b"\0"),
    },
    "a byte": {
        str(flip): _replace(flip=flip) for flip in random.Random(0).sample(range(100_000), 60)
    },
    "name": {
        "printable": lambda draft: dataclasses.replace(
            draft, issuer=der_builder.name("root", 0x13)
        ),
        "bad printable": _subject(tlv(0x13, b"a@b")),
        "star": _subject(tlv(0x13, b"*.a&b")),
        "bad UTF-8": _subject(tlv(0x0C, b"\xff\xfe")),
        "T61": _subject(tlv(0x14, b"\xff\xfe")),
        "bad IA5": _subject(tlv(0x16, b"\xff")),
        "BMP": _subject(tlv(0x1E, b"\0a\0\0")),
        "bad BMP": _subject(tlv(0x1E, b"\xd8\0")),
        "reserved BMP": _subject(tlv(0x1E, b"\xfd\xd0")),
        "odd BMP": _subject(tlv(0x1E, b"\0a\0")),
        "universal": _subject(tlv(0x1C, b"\0\0\0a")),
        "numeric": _subject(tlv(0x12, b"1 2")),
        "bad numeric": _subject(tlv(0x12, b"1-2")),
        "bits": _subject(tlv(3, b"\0a")),
        "empty": _replace(subject=tlv(0x30)),
        "long country": _subject(tlv(0x13, b"Germany")),
        "no value": _subject(),
        **{
            f"{tag:#x} of another kind": _replace(subject=_name_of("1.2.840.113549.1.9.1", tag))
            for tag in (0x03, 0x0C, 0x12, 0x13, 0x14, 0x16, 0x1A, 0x1C, 0x1E)
        },
        "kind of a large number": _replace(subject=_name_of(f"1.3.{(1 << 31) - 1}", 0x0C)),
        "kind of a too large number": _replace(subject=_name_of(f"1.3.{1 << 31}", 0x0C)),
    },
    "extension": {
        "unknown critical": _raw("1.2.3.4", b"a", critical=True),
        "unknown": _raw("1.2.3.4", b"a"),
        "huge number": _raw(f"2.25.{1 << 100}", b"a"),
        "large number": _raw(f"1.3.6.1.4.1.{(1 << 31) - 1}", b"a"),
        "too large number": _raw(f"1.3.6.1.4.1.{1 << 31}", b"a"),
        "issuer's names": _with(x509.IssuerAlternativeName([x509.DNSName("a")]), critical=True),
        "malformed known": _raw("2.5.29.18", b"a"),
        "no check": _with(x509.OCSPNoCheck()),
        "must staple": _with(x509.TLSFeature([x509.TLSFeatureType.status_request])),
        "subject key": _raw("2.5.29.14", tlv(4, b"key")),
        "critical subject key": _raw("2.5.29.14", tlv(4, b"key"), critical=True),
        "malformed subject key": _raw("2.5.29.14", b"key"),
        "authority key": _raw("2.5.29.35", tlv(0x30, tlv(0x80, b"key"))),
        "critical authority key": _raw("2.5.29.35", tlv(0x30, tlv(0x80, b"k")), critical=True),
        "malformed authority key": _raw("2.5.29.35", b"key"),
        "access": _raw(
            "1.3.6.1.5.5.7.1.1",
            tlv(0x30, tlv(0x30, oid("1.3.6.1.5.5.7.48.1"), tlv(URI, b"http://a"))),
        ),
        "access by a too large number": _raw(
            "1.3.6.1.5.5.7.1.1",
            tlv(0x30, tlv(0x30, oid(f"1.3.{1 << 31}"), tlv(URI, b"http://a"))),
        ),
        "critical access": _raw("1.3.6.1.5.5.7.1.1", tlv(0x30), critical=True),
        "malformed access": _raw("1.3.6.1.5.5.7.1.1", tlv(0x30, tlv(0x30))),
        "revocation": _raw(
            "2.5.29.31",
            tlv(0x30, tlv(0x30, tlv(0xA0, tlv(0xA0, tlv(URI, b"http://a"), tlv(DNS, b"a"))))),
        ),
        "revocation by another name": _raw(
            "2.5.29.31", tlv(0x30, tlv(0x30, tlv(0xA0, tlv(0xA1)))), critical=True
        ),
        "revocation without a name": _raw("2.5.29.31", tlv(0x30, tlv(0x30)), critical=True),
        "malformed revocation": _raw("2.5.29.31", tlv(0x30, integer(1))),
    },
    "names": {
        "none": lambda draft: draft.without(der_builder.SAN),
        "empty": _raw(der_builder.SAN, tlv(0x30)),
        "empty critical": _raw(der_builder.SAN, tlv(0x30), critical=True),
        "another": sans((DNS, b"another")),
        "upper case": sans((DNS, NAME.upper().encode())),
        "wildcard": sans((DNS, b"*." + _PARENT.encode())),
        "wildcard of another": sans((DNS, b"*.svc")),
        "two wildcards": sans((DNS, b"*.*.svc")),
        "part of a wildcard": sans((DNS, b"aws-*." + _PARENT.encode())),
        "star": sans((DNS, b"*")),
        "dot at the end": sans((DNS, NAME.encode() + b".")),
        "dot in front": sans((DNS, b"." + NAME.encode())),
        "not ASCII": _and(DNS, b"\xe4"),
        "of letters beyond ASCII": _and(DNS, "é.example".encode()),
        "space": _and(DNS, b"a b"),
        "nothing": _and(DNS, b""),
        "address": _and(IP, _V4),
        "address only": sans((IP, _V4)),
        "address of version 6": _and(IP, _V6),
        "short address": _and(IP, _V4[:3]),
        "mail": _and(MAIL, b"a@b.example"),
        "bad mail": _and(MAIL, b"a b"),
        "empty mail": _and(MAIL, b""),
        "mail only": sans((MAIL, b"a@b.example")),
        "mail that is the name": sans((MAIL, NAME.encode())),
        "URI that is the name": sans((URI, NAME.encode())),
        "mail not ASCII": _and(MAIL, b"\xe4@b"),
        "mail of letters beyond ASCII": _and(MAIL, "é@b.example".encode()),
        "URI of letters beyond ASCII": _and(URI, "urn:é".encode()),
        "directory": _and(DIRECTORY, der_builder.name("a")),
        "X.400": _and(X400, b""),
        "registered": _and(REGISTERED, b"\x2a\x03"),
        "other": _and(0xA0, oid("1.2.3") + tlv(0xA0, tlv(5))),
        "other only": sans((0xA0, oid("1.2.3") + tlv(0xA0, tlv(5)))),
        "constructed": _and(0xA2, b"a"),
        "malformed": _raw(der_builder.SAN, tlv(0x30, b"\x82\x05a")),
        "text": _raw(der_builder.SAN, b"text"),
        "indefinite": _raw(der_builder.SAN, b"\x30\x80\x82\x01a\0\0"),
        "long length": _raw(der_builder.SAN, b"\x30\x81\x03\x82\x01a"),
        **{
            f"URI {uri}": _and(URI, uri.encode("latin-1"))
            for uri in (
                "spiffe://cluster.local/ns/kube-system",
                "http://a:80/b?c#d",
                "http://a:b",
                "http://[::1]:80/",
                "http://[::1",
                "http://a:1:2",
                "other://a:1:2",
                "http://a b",
                "http://%zz/",
                "http://%41/",
                "http://%e4/",
                "http://a/%zz",
                "http://a/#%zz",
                "http://a/?%zz",
                "urn:uuid:1",
                "urn:a%zz",
                "a:b:c",
                ":a",
                "1a:b",
                "a/b:c",
                "*",
                "",
                "//a..b/",
                "///a",
                "x:///a",
                "http://u:p@h/",
                "http://u/p@h:x",
                "http://u[@h/",
                "http://[127.0.0.1]/",
                "http://[fe80::1%25en0]/",
                "http://a./",
                "http://a]b/",
                "http://a]b:80/",
                "http://\x7f/",
                "http://\xe4/",
                "http://127.0.0.1/",
                "http://a{b}/",
            )
        },
    },
    "name constraints": {
        "permit the service": constraints([(DNS, NAME.encode())]),
        "permit the namespace": constraints([(DNS, _PARENT.encode())]),
        "permit below": constraints([(DNS, b"." + NAME.encode())]),
        "permit below the namespace": constraints([(DNS, b"." + _PARENT.encode())]),
        "permit another": constraints([(DNS, b"example.com")]),
        "permit one of two": constraints([(DNS, b"a.example"), (DNS, b"SVC")]),
        "permit all": constraints([(DNS, b"")]),
        "permit a suffix": constraints([(DNS, b"vc")]),
        "permit an address": constraints([(IP, _V4 + b"\xff\xff\xff\xff")]),
        "permit a network": constraints([(IP, b"\x0a\x98\0\0\xff\xff\0\0")]),
        "permit version 6": constraints([(IP, _V6 + b"\xff" * 16)]),
        "permit mail": constraints([(MAIL, b"b.example")]),
        "permit one mailbox": constraints([(MAIL, b"a@B.example")]),
        "permit another mailbox": constraints([(MAIL, b"c@b.example")]),
        "permit URI": constraints([(URI, b"cluster.local")]),
        "permit below URI": constraints([(URI, b".local")]),
        "permit a directory": constraints([(DIRECTORY, der_builder.name("a"))]),
        "permit a star": constraints([(DNS, b"*.svc"), (DNS, NAME.encode())]),
        "exclude the service": constraints([], [(DNS, NAME.upper().encode())]),
        "exclude the namespace": constraints([], [(DNS, _PARENT.encode())]),
        "exclude below": constraints([], [(DNS, b"." + NAME.encode())]),
        "exclude another": constraints([], [(DNS, b"example.com")]),
        "exclude a neighbour": constraints([], [(DNS, b"other." + _PARENT.encode())]),
        "exclude all": constraints([], [(DNS, b"")]),
        "exclude the address": constraints([], [(IP, _V4 + b"\xff\xff\xff\xff")]),
        "exclude version 6": constraints([], [(IP, bytes(32))]),
        "exclude mail": constraints([], [(MAIL, b".example")]),
        "exclude URI": constraints([], [(URI, b"a")]),
        "permit and exclude": constraints([(DNS, b"svc")], [(DNS, b"kube-system.svc")]),
        "bad mask": constraints([(IP, _V4 + b"\xff\0\xff\0")]),
        "bad length": constraints([(IP, _V4)]),
        "bad name": constraints([(DNS, b"a..b")]),
        "dot at the end": constraints([(DNS, b"svc.")]),
        "bad mail": constraints([(MAIL, b"a b@c")]),
        "URI of an address": constraints([(URI, b"127.0.0.1")]),
        "empty": _raw("2.5.29.30", tlv(0x30), critical=True),
        "something after": _raw("2.5.29.30", tlv(0x30, tlv(0xA0, tlv(0x30, tlv(DNS)))) + b"\0"),
        "not critical": _raw(
            "2.5.29.30", tlv(0x30, tlv(0xA1, tlv(0x30, tlv(DNS, _PARENT.encode()))))
        ),
        "directory not critical": _raw(
            "2.5.29.30", tlv(0x30, tlv(0xA1, tlv(0x30, tlv(DIRECTORY, der_builder.name("a")))))
        ),
    },
    "policies": {
        "one": _policies(_ONE),
        "two": _policies(_TWO),
        "both": _policies(_ONE, _TWO),
        "any": _policies(_ANY_POLICY),
        "twice": _policies(_ONE, _ONE),
        "huge": _policies(f"2.25.{1 << 100}"),
        "malformed": _raw("2.5.29.32", tlv(0x30, oid(_ONE))),
        "required": _raw("2.5.29.36", tlv(0x30, _number(0x80, 0)), critical=True),
        "required below": _raw("2.5.29.36", tlv(0x30, _number(0x80, 1)), critical=True),
        "no mapping": _raw("2.5.29.36", tlv(0x30, _number(0x81, 0)), critical=True),
        "negative": _raw("2.5.29.36", tlv(0x30, _number(0x80, -1))),
        "malformed constraints": _raw("2.5.29.36", integer(1)),
        "huge requirement": _raw("2.5.29.36", tlv(0x30, _number(0x80, 1 << 63))),
        "mapping": _mappings((_ONE, _TWO)),
        "mapping critical": _mappings((_ONE, _TWO), critical=True),
        "mapping one to many": _mappings((_ONE, _ONE), (_ONE, _TWO), (_TWO, _ONE)),
        "mapping any": _mappings((_ONE, _ANY_POLICY)),
        "mapping from any": _mappings((_ANY_POLICY, _ONE)),
        "mapping nothing": _mappings(),
        "malformed mapping": _raw("2.5.29.33", tlv(0x30, tlv(0x30, oid(_ONE)))),
        "mapping in a long form": _raw("2.5.29.33", b"\x30\x81\x00"),
        "not any": _raw("2.5.29.54", integer(0), critical=True),
        "not any below": _raw("2.5.29.54", integer(1), critical=True),
        "huge inhibition": _raw("2.5.29.54", integer(1 << 63)),
        "malformed inhibition": _raw("2.5.29.54", b"\x02\x02\0\x01"),
    },
}

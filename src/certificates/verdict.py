# SPDX-License-Identifier: Apache-2.0

"""The verdict on a key pair: whether the API server accepts a server that presents it.

A TLS handshake in memory decides, between a server that presents the pair and a client that
trusts its bundle alone. kube-apiserver is the client in the end: `rules` has where its Go is
stricter than the handshake's OpenSSL. ``tests/conformance`` compares the verdicts with Go's own,
and lists what is refused here although Go takes it, such as the usage ``anyExtendedKeyUsage``.
"""

from __future__ import annotations

import contextlib
import datetime
import ssl
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from certificates import handshake, pem, rules
from certificates.refusal import NotYetValid, Refused, Stale

if TYPE_CHECKING:
    from certificates.keypair import KeyPair

# What a client reads of a TLS certificate message, and what the message adds to its certificates.
_LONGEST_MESSAGE, _MESSAGE, _ENTRY = 262_144, 4, 5
# One of RSA with 8192 bits is shorter.
_LONGEST_KEY = 7_000
_AUTHORITY = "has an authority that "
_NO_CA = f"{_AUTHORITY}is not a CA by its basic constraints or key usage"
_CONSTRAINED = "has an authority whose name constraints refuse its names"
_REASONS = {
    handshake.INVALID_CA: _NO_CA,
    handshake.PATH_TOO_LONG: f"{_AUTHORITY}allows fewer intermediates",
    handshake.UNSUITABLE: rules.NO_SERVER,
    handshake.UNKNOWN_CRITICAL: "has an unknown critical extension in its chain",
    handshake.NOT_PERMITTED: _CONSTRAINED,
    handshake.EXCLUDED: _CONSTRAINED,
}
_UNSIGNED = "is not signed by an authority that came with it"

Chain = list[x509.Certificate]


def check(pair: KeyPair, sans: Iterable[str]) -> datetime.datetime:
    """Return until when the API server accepts ``pair`` for ``sans``, in UTC.

    Raises:
        Stale: an otherwise good certificate does not cover one of ``sans``.
        NotYetValid: an otherwise good certificate, or its authority, is not valid yet.
        Refused: the pair can never be served; the text says why.
    """
    try:
        return _check(pair, sorted(sans))
    except Refused:
        raise
    except Exception as error:
        # What cryptography and OpenSSL raise for unreadable input has no common base.
        raise Refused(f"cannot be read ({type(error).__name__})") from error


def read(block: str) -> x509.Certificate:
    """Return the certificate of a PEM block.

    Raises:
        Refused: it cannot be read, or Go may not take it.
    """
    try:
        (der,) = pem.der(block)
        certificate = x509.load_der_x509_certificate(der)
        rules.check(certificate)
    except Refused:
        raise
    except Exception as error:
        raise Refused(f"cannot be read ({type(error).__name__})") from error
    return certificate


def _check(pair: KeyPair, sans: Sequence[str]) -> datetime.datetime:
    served = _served(pair)
    _check_key(pair, served[0])
    chain = _chain(pair, _trusted(pair.ca), served)
    rules.check_chain(chain)
    if lacking := [name for name in sans if not rules.covers(chain[0], name)]:
        raise Stale(f"does not cover {', '.join(lacking)}")
    now = datetime.datetime.now(datetime.timezone.utc)
    whose = ["", *[_AUTHORITY] * len(chain)]
    for each, link in zip(whose, chain, strict=False):
        if now > (end := link.not_valid_after_utc):
            raise Refused(f"{each}expired on {end:%Y-%m-%d %H:%M} UTC")
    for each, link in zip(whose, chain, strict=False):
        if now < link.not_valid_before_utc:
            raise NotYetValid(each, link.not_valid_before_utc)
    return min(link.not_valid_after_utc for link in chain)


def _check_key(pair: KeyPair, leaf: x509.Certificate) -> None:
    """Raise `Refused` or ValueError unless the private key is the leaf's, and whole.

    An authority of the older protocol makes the key.
    """
    if len(pair.key) > _LONGEST_KEY:
        raise Refused(f"has a private key of more than {_LONGEST_KEY:,} characters")
    # This checks that the numbers fit each other, not that they are prime: that takes minutes.
    key = load_pem_private_key(pair.key.encode(), None, unsafe_skip_rsa_key_validation=True)
    if key.public_key() != leaf.public_key():
        raise Refused("does not belong to its private key")


def _served(pair: KeyPair) -> Chain:
    """Return the leaf and what is served with it."""
    blocks = pem.certificates(pair.certificate)
    if not blocks:
        raise Refused("is not a PEM certificate")
    if sum(len(der) + _ENTRY for der in pem.der(pair.certificate)) + _MESSAGE > _LONGEST_MESSAGE:
        raise Refused("has a chain of more than 256 KiB")
    served = [read(blocks[0])]
    for block in blocks[1:]:
        try:
            served.append(read(block))
        except Refused as problem:
            raise Refused(f"{_AUTHORITY}{problem}") from problem
    return served


def _trusted(ca: str) -> str:
    """Return the bundle without what Go leaves out of a pool, because it cannot read it."""
    ends: dict[str, datetime.datetime] = {}
    for block in pem.certificates(ca):
        with contextlib.suppress(Refused):
            ends[block] = read(block).not_valid_after_utc
    if not ends:
        raise Refused(_UNSIGNED)
    # Of an authority that was renewed, OpenSSL takes the certificate that comes first.
    return "\n".join(sorted(ends, key=lambda block: ends[block], reverse=True))


def _chain(pair: KeyPair, ca: str, served: Chain) -> Chain:
    """Return the chain by which a client accepts the pair, now or else at another time."""
    try:
        found = handshake.chain(pair.certificate, pair.key, ca)
    except ssl.SSLCertVerificationError:
        try:
            found = handshake.chain(pair.certificate, pair.key, ca, whenever=True)
        except ssl.SSLCertVerificationError as error:
            unsigned = _UNSIGNED if all(map(rules.is_authority, served[1:])) else _NO_CA
            raise Refused(_REASONS.get(error.verify_code, unsigned)) from error
    return [x509.load_der_x509_certificate(der) for der in found]

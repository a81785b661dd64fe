# SPDX-License-Identifier: Apache-2.0

"""Which key pair is made of a provider's answer, whether it can be served, and for how long.

Control planes do not insist on a certificate that they can verify, so this asks only what tells a
mistake: whether the pair belongs together, is for the Service, and can be loaded by the pods.
``tests/conformance`` starts the authenticator with what is accepted here.
"""

from __future__ import annotations

import contextlib
import dataclasses
import datetime
import re

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import load_pem_private_key

import certificates
from certificates import (
    SERVER_NAME,
    KeyPair,
    PairRefused,
    ca_bundle,
    private_key,
)

# To check a key of RSA-4096, whose text has 3.3 kB, takes 0.3 seconds; RSA-8192 takes ten.
_MAX_KEY, _MAX_CERTIFICATES = 4_000, 64_000
# How long before its end a certificate is renewed, or at the last third of a short life.
_MARGIN = datetime.timedelta(days=14)
_CURVES = (ec.SECP256R1, ec.SECP384R1, ec.SECP521R1)
_COVERING = {SERVER_NAME, f"*.{SERVER_NAME.partition('.')[2]}"}
# Go loads no certificate of a host that is not ASCII, or with a URI that it cannot parse.
_READABLE = re.compile(r"[\w.*-]*|[a-z]+://[\w-]+(\.[\w-]+)*(/[\w./-]*)?", re.ASCII)


@dataclasses.dataclass(frozen=True)
class Life:
    """From when until when a certificate is good, in UTC."""

    begins: datetime.datetime
    ends: datetime.datetime

    @property
    def renewal(self) -> datetime.datetime:
        """Return when it is time for a successor."""
        return self.ends - min(_MARGIN, (self.ends - self.begins) / 3)

    @property
    def is_late(self) -> bool:
        """Return whether it is time for a successor."""
        return certificates.now() >= self.renewal


def key_pair(certificate: str, key: str, *authorities: str) -> KeyPair:
    """Return what to serve, and what to trust, of a provider's answer, unchecked.

    Served are the leaf (the first block of ``certificate``) and every other certificate that a
    client may need to follow the chain to a root. Trusted are all but the leaf, so that a new leaf
    changes nothing for clients; but a leaf that is self-signed is its own authority.
    """
    leaf, *rest = certificates.certificates(certificate, *authorities) or [""]
    between = [block for block in rest if is_readable(block) and not _has_signed(block, block)]
    trusted = [*rest, leaf] if _has_signed(leaf, leaf) else rest
    return KeyPair("".join([leaf, *between]), private_key(key), ca_bundle(*trusted))


def check(pair: KeyPair) -> Life:
    """Return the life of the certificate or of its CA, whichever ends first.

    Raise `PairRefused` if it cannot be served.
    """
    if len(pair.key) > _MAX_KEY or len(pair.certificate + pair.ca) > _MAX_CERTIFICATES:
        raise PairRefused("is too large: RSA-4096 is the largest key")
    block = next(iter(certificates.certificates(pair.certificate)), "")
    leaf, trusted = read(block), certificates.certificates(pair.ca)
    signers = [read(each) for each in trusted if _has_signed(each, block)]
    if not signers:
        raise PairRefused("is not signed by a CA that came with it")
    # Of a CA that was renewed, the later certificate counts.
    signer = max(signers, key=lambda each: each.not_valid_after_utc)
    lives = [Life(each.not_valid_before_utc, each.not_valid_after_utc) for each in (leaf, signer)]
    life = min(lives, key=lambda each: each.ends)
    # A provider of the older protocol keeps all former answers, and to read a key takes longest.
    if certificates.now() > life.ends:
        raise PairRefused(f"or its CA expired on {life.ends:%Y-%m-%d %H:%M} UTC")
    try:
        # This also checks that the numbers of an RSA key fit each other.
        fits = load_pem_private_key(pair.key.encode(), None).public_key() == leaf.public_key()
    except Exception as error:
        # What cryptography raises for unreadable input, here and below, has no common base.
        raise PairRefused(f"has a key that cannot be read ({type(error).__name__})") from error
    if not fits:
        raise PairRefused("does not belong to its private key")
    if not _is_usable(leaf.public_key()):
        raise PairRefused("has a key that the pods cannot use")
    names = _names(leaf)
    if _COVERING.isdisjoint(names):
        raise PairRefused(f"does not cover {SERVER_NAME}")
    if not all(map(_READABLE.fullmatch, names)):
        raise PairRefused("has a name that the pods cannot read")
    begins = max(each.begins for each in lives)
    if certificates.now() < begins:
        raise PairRefused(f"or its CA is not valid before {begins:%Y-%m-%d %H:%M} UTC")
    return life


def read(block: str) -> x509.Certificate:
    """Return the certificate of a PEM block. Raise `PairRefused` if it cannot be read."""
    try:
        certificate = x509.load_pem_x509_certificate(block.encode())
        # cryptography reads these only when they are asked for.
        certificate.public_key()
        tuple(certificate.extensions)
    except Exception as error:
        raise PairRefused(f"cannot be read ({type(error).__name__})") from error
    return certificate


def is_readable(block: str) -> bool:
    """Return whether ``block`` is a certificate of which every part can be read."""
    try:
        read(block)
    except PairRefused:
        return False
    return True


def _has_signed(signer: str, block: str) -> bool:
    """Return whether the authority of one PEM block has signed the certificate of another."""
    with contextlib.suppress(Exception):
        read(block).verify_directly_issued_by(read(signer))
        return True
    return False


def _is_usable(key: object) -> bool:
    """Return whether the pods load a certificate with this public ``key``, and clients that do not
    verify begin to speak with who presents it."""
    if isinstance(key, rsa.RSAPublicKey):
        return key.key_size >= 2048
    if isinstance(key, ec.EllipticCurvePublicKey):
        return isinstance(key.curve, _CURVES)
    return isinstance(key, ed25519.Ed25519PublicKey)


def _names(leaf: x509.Certificate) -> list[str]:
    """Return the host names and the URIs that ``leaf`` is for."""
    found = (each.value for each in leaf.extensions)
    alternatives = [each for each in found if isinstance(each, x509.SubjectAlternativeName)]
    kinds = (x509.DNSName, x509.UniformResourceIdentifier)
    return [
        name for each in alternatives for kind in kinds for name in each.get_values_for_type(kind)
    ]

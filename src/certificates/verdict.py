# SPDX-License-Identifier: Apache-2.0

"""Whether a key pair can be served, and for how long.

Control planes do not insist on a certificate that they can verify, so this asks only what tells a
mistake: whether the pair belongs together, is for the Service, and can be loaded by the pods.
``tests/conformance`` starts the authenticator with what is accepted here.
"""

from __future__ import annotations

import contextlib
import dataclasses
import datetime

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from cryptography.x509.oid import NameOID

from certificates import SERVER_NAME, keypair
from certificates.keypair import KeyPair, NotYetValid, PairRefused

# To check a key of RSA-4096, whose text has 3.3 kB, takes 0.3 seconds; RSA-8192 takes ten.
_MAX_KEY, _MAX_CERTIFICATES = 4_000, 64_000
# How long before its end a certificate is renewed, or at the last third of a short life.
_MARGIN = datetime.timedelta(days=14)
_CURVES = (ec.SECP256R1, ec.SECP384R1, ec.SECP521R1)
# The parts of a name that are ASCII by their standards.
_ASCII = (NameOID.EMAIL_ADDRESS, NameOID.DOMAIN_COMPONENT)
_COVERING = {SERVER_NAME, f"*.{SERVER_NAME.partition('.')[2]}"}
_AUTHORITY = "has an authority that "


@dataclasses.dataclass(frozen=True)
class Life:
    """From when until when something is good, in UTC."""

    begins: datetime.datetime
    ends: datetime.datetime

    @property
    def renewal(self) -> datetime.datetime:
        """Return when it is time for a successor."""
        return self.ends - min(_MARGIN, (self.ends - self.begins) / 3)

    @property
    def is_late(self) -> bool:
        """Return whether it is time for a successor."""
        return keypair.now() >= self.renewal


def check(pair: KeyPair) -> tuple[Life, Life]:
    """Return how long ``pair`` is good, and how long its authority.

    Raises:
        NotYetValid: an otherwise good certificate, or its authority, is not valid yet.
        PairRefused: the pair can never be served; the text says why.
    """
    if len(pair.key) > _MAX_KEY or len(pair.certificate + pair.ca) > _MAX_CERTIFICATES:
        raise PairRefused("is too large: RSA-4096 is the largest key")
    leaf = read(next(iter(keypair.certificates(pair.certificate)), ""))
    own, now = _life(leaf), keypair.now()
    # A provider of the older protocol keeps all former answers, and to read a key takes longest.
    _check_ended("", own, now)
    try:
        # This also checks that the numbers of an RSA key fit each other.
        fits = load_pem_private_key(pair.key.encode(), None).public_key() == leaf.public_key()
        names = _names(leaf)
    except Exception as error:
        # What cryptography raises for unreadable input, here and below, has no common base.
        raise PairRefused(f"cannot be read ({type(error).__name__})") from error
    if not fits:
        raise PairRefused("does not belong to its private key")
    if not _is_usable(leaf) or not all(map(str.isascii, names)):
        raise PairRefused("has a key or a name that Kubernetes cannot use")
    if not _COVERING & names:
        raise PairRefused(f"does not cover {SERVER_NAME}")
    signers = [each for each in keypair.certificates(pair.ca) if _has_signed(each, leaf)]
    if not signers:
        raise PairRefused("is not signed by an authority that came with it")
    # Of an authority that was renewed, the later certificate counts.
    authority = max((_life(read(each)) for each in signers), key=lambda life: life.ends)
    _check_ended(_AUTHORITY, authority, now)
    for whose, life in (("", own), (_AUTHORITY, authority)):
        if now < life.begins:
            raise NotYetValid(f"{whose}is not valid before {life.begins:%Y-%m-%d %H:%M} UTC")
    return Life(own.begins, min(own.ends, authority.ends)), authority


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


def is_self_signed(block: str) -> bool:
    """Return whether the certificate of a PEM block is its own authority."""
    with contextlib.suppress(PairRefused):
        return _has_signed(block, read(block))
    return False


def is_intermediate(block: str) -> bool:
    """Return whether the certificate of a PEM block may help a client to a root."""
    with contextlib.suppress(PairRefused):
        return not _has_signed(block, read(block))
    return False


def _has_signed(block: str, certificate: x509.Certificate) -> bool:
    """Return whether the authority of a PEM block has signed ``certificate``."""
    with contextlib.suppress(Exception):
        certificate.verify_directly_issued_by(read(block))
        return True
    return False


def _life(certificate: x509.Certificate) -> Life:
    return Life(certificate.not_valid_before_utc, certificate.not_valid_after_utc)


def _check_ended(whose: str, life: Life, now: datetime.datetime) -> None:
    if now > life.ends:
        raise PairRefused(f"{whose}expired on {life.ends:%Y-%m-%d %H:%M} UTC")


def _is_usable(leaf: x509.Certificate) -> bool:
    """Return whether the pods load ``leaf`` as far as its key and its ASCII parts go, and control
    planes begin to speak with who presents it."""
    key = leaf.public_key()
    if isinstance(key, rsa.RSAPublicKey):
        is_known = key.key_size >= 2048
    elif isinstance(key, ec.EllipticCurvePublicKey):
        is_known = isinstance(key.curve, _CURVES)
    else:
        is_known = isinstance(key, ed25519.Ed25519PublicKey)
    parts = [part for part in (*leaf.subject, *leaf.issuer) if part.oid in _ASCII]
    return is_known and all(str(part.value).isascii() for part in parts)


def _names(leaf: x509.Certificate) -> set[str]:
    """Return the alternative names of ``leaf`` that are texts. Raise ValueError for a URI: of
    these, the pods load some only."""
    try:
        found = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return set()
    if found.get_values_for_type(x509.UniformResourceIdentifier):
        raise ValueError("it has a URI")
    names = found.get_values_for_type(x509.DNSName)
    return {*names, *found.get_values_for_type(x509.RFC822Name)}

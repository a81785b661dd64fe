# SPDX-License-Identifier: Apache-2.0

"""Whether the API server accepts a server that presents a key pair.

A TLS handshake in memory decides, between a server that presents the pair and a client that
trusts its bundle alone. Dates are compared here, so that a certificate which no time heals is not
waited for. ``tests/conformance`` compares the verdicts with those of Go, which kube-apiserver and
the authenticator are written in.
"""

from __future__ import annotations

import datetime
import os
import ssl
from collections.abc import Sequence

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key

from certificates import SERVER_NAME, pem, usable
from certificates.keypair import KeyPair, NotYetValid, PairRefused

# X509_V_FLAG_NO_CHECK_TIME of openssl/x509_vfy.h, which Python does not name.
_NO_CHECK_TIME = 0x200000
# Why OpenSSL refuses a chain (X509_V_ERR_…): another name, no issuer, or one that did not sign.
_OTHER_NAME, _NOT_SIGNED = 62, (2, 7, 18, 19, 20, 21)
# Go takes RSA keys of 1,024 bits, and so does OpenSSL at this level.
_CIPHERS = "DEFAULT@SECLEVEL=1"
_UNSIGNED = "is not signed by an authority that came with it"
_UNUSABLE = "has a key or a name that Kubernetes cannot use"
_UNUSABLE_AUTHORITY = f"has an authority that {_UNUSABLE}"


def check(pair: KeyPair) -> datetime.datetime:
    """Return until when the API server accepts ``pair``, in UTC.

    Raises:
        NotYetValid: an otherwise good certificate, or its authority, is not valid yet.
        PairRefused: the pair can never be served; the text says why.
    """
    leaf = read(next(iter(pem.certificates(pair.certificate)), ""))
    try:
        bundle = [x509.load_der_x509_certificate(der) for der in pem.der(pair.ca)]
        _check_at_any_time(pair, leaf, bundle)
        # Of an authority that was renewed, the later certificate counts.
        issuers = [each for each in bundle if each.subject == leaf.issuer]
        issuer = max(issuers, key=lambda each: each.not_valid_after_utc, default=leaf)
    except PairRefused:
        raise
    except Exception as error:
        # What cryptography and OpenSSL raise for unreadable input has no common base.
        raise PairRefused(f"cannot be read ({type(error).__name__})") from error
    now = datetime.datetime.now(datetime.timezone.utc)
    chain = (("", leaf), ("has an authority that ", issuer))
    for whose, link in chain:
        if now > (end := link.not_valid_after_utc):
            raise PairRefused(f"{whose}expired on {end:%Y-%m-%d %H:%M} UTC")
    for whose, link in chain:
        if now < (start := link.not_valid_before_utc):
            raise NotYetValid(f"{whose}is not valid before {start:%Y-%m-%d %H:%M} UTC")
    return min(link.not_valid_after_utc for _, link in chain)


def read(block: str) -> x509.Certificate:
    """Return the certificate of a PEM block. Raise `PairRefused` if it cannot be read."""
    try:
        (der,) = pem.der(block)
        certificate = x509.load_der_x509_certificate(der)
        # cryptography reads these only when they are asked for.
        certificate.public_key()
        tuple(certificate.extensions)
    except Exception as error:
        raise PairRefused(f"cannot be read ({type(error).__name__})") from error
    return certificate


def _check_at_any_time(
    pair: KeyPair, leaf: x509.Certificate, bundle: Sequence[x509.Certificate]
) -> None:
    """Raise as `check` does, but for what a date decides."""
    # This also checks that the numbers of an RSA key fit each other.
    if load_pem_private_key(pair.key.encode(), None).public_key() != leaf.public_key():
        raise PairRefused("does not belong to its private key")
    if not usable.is_usable(leaf):
        raise PairRefused(_UNUSABLE)
    _, *others = [x509.load_der_x509_certificate(der) for der in pem.der(pair.certificate)]
    if not all(map(usable.is_readable, others)):
        raise PairRefused(_UNUSABLE_AUTHORITY)
    # Go leaves out of a bundle, and of a chain, what it cannot use.
    chain, trusted = ([*filter(usable.is_usable, each)] for each in ([leaf, *others], bundle))
    problem = _refusal(_joined(chain) + pair.key, _joined(trusted))
    if problem == _UNSIGNED and len(trusted) < len(bundle):
        problem = _UNUSABLE_AUTHORITY
    if problem:
        raise PairRefused(problem)


def _joined(certificates: Sequence[x509.Certificate]) -> str:
    return "".join(each.public_bytes(Encoding.PEM).decode() for each in certificates)


def _refusal(presented: str, trusted: str) -> str:
    """Return why a client that trusts ``trusted`` refuses a server at any time; empty if it does
    not. Raise `OSError` if the server cannot present the chain and the key in ``presented``."""
    server_context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server_context.set_ciphers(_CIPHERS)
    # Python takes a key from a file only, and no disk should hold it.
    with os.fdopen(os.memfd_create("key-pair"), "w") as file:
        file.write(presented)
        file.flush()
        server_context.load_cert_chain(f"/proc/self/fd/{file.fileno()}")
    client_context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client_context.set_ciphers(_CIPHERS)
    # As for Go, the common name does not count, and each certificate of the bundle ends a chain.
    client_context.hostname_checks_common_name = False
    flags = ssl.VERIFY_X509_PARTIAL_CHAIN | ssl.VERIFY_X509_TRUSTED_FIRST
    client_context.verify_flags = flags | _NO_CHECK_TIME
    if trusted:
        client_context.load_verify_locations(cadata=trusted)
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = client_context.wrap_bio(to_client, to_server, server_hostname=SERVER_NAME)
    pending = [client, server_context.wrap_bio(to_server, to_client, server_side=True)]
    try:
        while pending:
            pending = [side for side in pending if not _is_done(side)]
    except ssl.SSLCertVerificationError as error:
        if error.verify_code == _OTHER_NAME:
            return f"does not cover {SERVER_NAME}"
        if error.verify_code in _NOT_SIGNED:
            return _UNSIGNED
        return f"is refused: {error.verify_message}"
    return ""


def _is_done(side: ssl.SSLObject) -> bool:
    try:
        side.do_handshake()
    except ssl.SSLWantReadError:
        return False
    return True

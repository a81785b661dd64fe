# SPDX-License-Identifier: Apache-2.0

"""A TLS handshake in memory between a server that presents a key pair and its client."""

from __future__ import annotations

import contextlib
import os
import ssl
from collections.abc import Generator
from typing import Any

# OpenSSL's numbers for why a chain is refused (X509_V_ERR_…, openssl/x509_vfy.h).
INVALID_CA, PATH_TOO_LONG, UNSUITABLE = 24, 25, 26
UNKNOWN_CRITICAL = 34
NOT_PERMITTED, EXCLUDED = 47, 48

# Its flag that Python does not name (X509_V_FLAG_…).
_NO_CHECK_TIME = 0x200000
# RSA keys of 1024 bits are good enough for Go.
_CIPHERS = "DEFAULT:@SECLEVEL=1"
_MOST_TURNS = 20


def chain(certificate: str, key: str, ca: str, *, whenever: bool = False) -> list[bytes]:
    """Return the certificates (DER) by which a client that trusts ``ca`` accepts the server.

    The leaf comes first, a trusted certificate last. The client does not compare names. With
    ``whenever`` it does not compare times either. All texts are PEM.

    Raises:
        ssl.SSLCertVerificationError: the client refuses; ``verify_code`` says why.
        ssl.SSLError: the server cannot present the pair.
    """
    server_context = _like_go(ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER))
    with _file(certificate + key) as path:
        server_context.load_cert_chain(path)
    client_context = _like_go(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT))
    client_context.check_hostname = False
    # As for Go, each certificate of the bundle ends a chain, a root or not.
    flags = ssl.VERIFY_X509_PARTIAL_CHAIN | ssl.VERIFY_X509_TRUSTED_FIRST
    client_context.verify_flags = flags | (_NO_CHECK_TIME if whenever else 0)
    client_context.load_verify_locations(cadata=ca)
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    server = server_context.wrap_bio(to_server, to_client, server_side=True)
    client = client_context.wrap_bio(to_client, to_server)
    for _ in range(_MOST_TURNS):
        if all([_is_done(client), _is_done(server)]):
            return _verified(client)
    raise ssl.SSLError("the handshake does not end")


def _like_go(context: ssl.SSLContext) -> ssl.SSLContext:
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(_CIPHERS)
    return context


def _is_done(side: ssl.SSLObject) -> bool:
    try:
        side.do_handshake()
    except ssl.SSLWantReadError:
        return False
    return True


def _verified(client: Any) -> list[bytes]:
    if hasattr(client, "get_verified_chain"):
        return client.get_verified_chain()
    # Before 3.13 Python has no public way to it.
    chain = client._sslobj.get_verified_chain()  # noqa: SLF001  (see above)
    encoded = [link.public_bytes() for link in chain]
    return [ssl.PEM_cert_to_DER_cert(text) for text in encoded]


@contextlib.contextmanager
def _file(text: str) -> Generator[str, None, None]:
    """Yield the path of a file with ``text``. It is in memory, because Python takes a key from a
    file only, and no disk should hold it."""
    descriptor = os.memfd_create("key-pair", os.MFD_CLOEXEC)
    try:
        with os.fdopen(descriptor, "w", closefd=False) as file:
            file.write(text)
        yield f"/proc/self/fd/{descriptor}"
    finally:
        os.close(descriptor)

"""PEM texts: taking them apart, and checking that a pair can be served."""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterable
from typing import TYPE_CHECKING

from cluster import manifests

if TYPE_CHECKING:
    from cryptography import x509

_BLOCK = re.compile(r"-----BEGIN ([A-Z0-9 ]+)-----\s.*?-----END \1-----", re.DOTALL)


def certificates(*texts: str) -> list[str]:
    """The CERTIFICATE blocks of ``texts`` in order, each once, without what stands around
    them (easy-rsa puts a readable copy in front)."""
    return list(dict.fromkeys(block for kind, block in _blocks(texts) if kind == "CERTIFICATE"))


def private_key(text: str) -> str:
    """The first private key block of ``text``; empty where there is none."""
    return next((block for kind, block in _blocks([text]) if kind.endswith("PRIVATE KEY")), "")


def bundle(certificate: str, key: str, *authorities: str) -> manifests.Bundle:
    """What to serve and what to trust.

    Served: the leaf (the first block of ``certificate``), then every other certificate, so
    that a client which trusts only the root can follow the chain. Trusted: all but the
    leaf, so that a new leaf leaves what clients trust alone.
    """
    leaf, *rest = certificates(certificate, *authorities) or [""]
    return manifests.Bundle(
        certificate=_joined([leaf, *rest]), key=private_key(key) + "\n", ca=merged(*rest)
    )


def merged(*bundles: str) -> str:
    """The certificates of all ``bundles``, each once, in an order of their own: the same ones
    are the same text, however a provider lists them."""
    return _joined(sorted(certificates(*bundles)))


def check(served: manifests.Bundle, names: Iterable[str]) -> datetime.datetime:
    """See whether ``served`` can be served for ``names`` (host names and IP addresses);
    the time, UTC, at which its leaf or its authority expires.

    Raises:
        Stale: a name is missing in an otherwise good certificate.
        ValueError: it can never be served; the text says why.
    """
    from cryptography import x509
    from cryptography.hazmat.primitives import serialization

    try:
        chain = [
            x509.load_pem_x509_certificate(c.encode()) for c in certificates(served.certificate)
        ]
        trusted = [x509.load_pem_x509_certificate(c.encode()) for c in certificates(served.ca)]
        key = serialization.load_pem_private_key(served.key.encode(), password=None)
    except Exception as error:
        # cryptography has no common base for what unreadable input raises.
        raise ValueError(f"cannot be read ({type(error).__name__})") from error
    if not chain:
        raise ValueError("holds no certificate")
    leaf = chain[0]
    if leaf.public_key() != key.public_key():
        raise ValueError("does not belong to its private key")
    issuers = [authority for authority in trusted if _issued(leaf, authority)]
    if not issuers:
        raise ValueError("is signed by none of the authorities that came with it")
    authority_ends = max(issuer.not_valid_after_utc for issuer in issuers)
    for what, end in (("", leaf.not_valid_after_utc), ("has an authority that ", authority_ends)):
        if end <= datetime.datetime.now(datetime.timezone.utc):
            raise ValueError(f"{what}expired on {end:%Y-%m-%d %H:%M} UTC")
    lacking = set(names) - _alternative_names(leaf)
    if lacking:
        raise Stale(f"does not name {', '.join(sorted(lacking))}")
    return min(leaf.not_valid_after_utc, authority_ends)


class Stale(ValueError):
    """The certificate is good, but for other names."""


def _issued(leaf: x509.Certificate, authority: x509.Certificate) -> bool:
    try:
        leaf.verify_directly_issued_by(authority)
    except Exception:  # noqa: BLE001  (any reason means no)
        return False
    return True


def _alternative_names(leaf: x509.Certificate) -> set[str]:
    from cryptography import x509

    try:
        names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return set()
    return {
        *names.get_values_for_type(x509.DNSName),
        *(str(address) for address in names.get_values_for_type(x509.IPAddress)),
    }


def _blocks(texts: Iterable[str]) -> Iterable[tuple[str, str]]:
    for text in texts:
        for match in _BLOCK.finditer(text):
            lines = (line.strip() for line in match[0].splitlines())
            yield match[1], "\n".join(line for line in lines if line)


def _joined(blocks: Iterable[str]) -> str:
    return "".join(f"{block}\n" for block in blocks)

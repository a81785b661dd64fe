"""PEM texts: taking them apart, and checking that a pair can be served."""

from __future__ import annotations

import bisect
import datetime
import re
from collections import defaultdict
from collections.abc import Iterable
from typing import TYPE_CHECKING

from certificates.keypair import KeyPair

if TYPE_CHECKING:
    from cryptography import x509

# In a lookahead, because a line may end with the dashes that the next one starts with.
_BEGIN = re.compile(r"(?=-----BEGIN ([A-Z0-9 ]+)-----(\s))")
_END = re.compile(r"(?=(-----END ([A-Z0-9 ]+)-----))")


class Stale(ValueError):
    """The certificate is good, but for other names."""


def certificates(*texts: str) -> list[str]:
    """Return the CERTIFICATE blocks of ``texts`` in order, each once.

    What stands around them goes: easy-rsa puts a readable copy in front.
    """
    return list(dict.fromkeys(block for kind, block in _blocks(texts) if kind == "CERTIFICATE"))


def private_key(text: str) -> str:
    """Return the first private key block of ``text``; empty where there is none."""
    return next((block for kind, block in _blocks([text]) if kind.endswith("PRIVATE KEY")), "")


def key_pair(certificate: str, key: str, *authorities: str) -> KeyPair:
    """Return what to serve, and what to trust, of a provider's answer.

    Served are the leaf (the first block of ``certificate``) and every other certificate after
    it, so that a client which trusts only the root can follow the chain. Trusted are all but
    the leaf, so that a new leaf changes nothing for clients.
    """
    leaf, *rest = certificates(certificate, *authorities) or [""]
    return KeyPair(
        certificate=_joined([leaf, *rest]), key=private_key(key) + "\n", ca=ca_bundle(*rest)
    )


def ca_bundle(*texts: str) -> str:
    """Return the certificates of all ``texts``, each once and sorted.

    The same certificates are the same text, in whatever order a provider lists them.
    """
    return _joined(sorted(certificates(*texts)))


def check(pair: KeyPair, sans: Iterable[str]) -> datetime.datetime:
    """Return when ``pair`` expires: its leaf or its authority, whichever is first, in UTC.

    Raises:
        Stale: an otherwise good certificate does not cover one of ``sans``.
        ValueError: the pair can never be served; the text says why.
    """
    from cryptography import x509
    from cryptography.hazmat.primitives import serialization

    try:
        chain = [
            x509.load_pem_x509_certificate(c.encode()) for c in certificates(pair.certificate)
        ]
        trusted = [x509.load_pem_x509_certificate(c.encode()) for c in certificates(pair.ca)]
        key = serialization.load_pem_private_key(pair.key.encode(), password=None)
    except Exception as error:
        # cryptography's errors for unreadable input have no common base.
        raise ValueError(f"cannot be read ({type(error).__name__})") from error
    if not chain:
        raise ValueError("is not a PEM certificate")
    leaf = chain[0]
    if leaf.public_key() != key.public_key():
        raise ValueError("does not belong to its private key")
    issuers = [authority for authority in trusted if _issued(leaf, authority)]
    if not issuers:
        raise ValueError("is not signed by an authority that came with it")
    authority_ends = max(issuer.not_valid_after_utc for issuer in issuers)
    for what, end in (("", leaf.not_valid_after_utc), ("has an authority that ", authority_ends)):
        if end <= datetime.datetime.now(datetime.timezone.utc):
            raise ValueError(f"{what}expired on {end:%Y-%m-%d %H:%M} UTC")
    lacking = set(sans) - _alternative_names(leaf)
    if lacking:
        raise Stale(f"does not cover {', '.join(sorted(lacking))}")
    return min(leaf.not_valid_after_utc, authority_ends)


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
        for kind, start, end in _spans(text):
            lines = (line.strip() for line in text[start:end].splitlines())
            yield kind, "\n".join(line for line in lines if line)


def _spans(text: str) -> Iterable[tuple[str, int, int]]:
    """Return kind, start and end of every block: from a BEGIN to the next END of its kind.

    Each line is looked at once. One pattern for a whole block would search the rest of the text
    again after every BEGIN without an END.
    """
    ends: dict[str, list[re.Match[str]]] = defaultdict(list)
    for end in _END.finditer(text):
        ends[end[2]].append(end)
    starts = {kind: [end.start() for end in found] for kind, found in ends.items()}
    position = 0
    for begin in _BEGIN.finditer(text):
        kind = begin[1]
        index = bisect.bisect_left(starts.get(kind, []), begin.end(2))
        if begin.start() < position or index == len(ends.get(kind, [])):
            continue
        position = ends[kind][index].end(1)
        yield kind, begin.start(), position


def _joined(blocks: Iterable[str]) -> str:
    return "".join(f"{block}\n" for block in blocks)

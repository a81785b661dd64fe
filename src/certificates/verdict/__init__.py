"""The verdict on a key pair: whether the API server accepts a server that presents it.

The authenticator loads the pair with ``tls.LoadX509KeyPair``. kube-apiserver trusts the pair's CA
bundle alone, asks for the Service's name, and finds the intermediates in what is served. Both are
Go, so the rules here are those of ``crypto/tls`` and ``crypto/x509``: a pair that they refuse
must not replace the one in use. ``tests/conformance`` compares the verdicts.
"""

from __future__ import annotations

import dataclasses
import datetime
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from certificates import pem
from certificates.refusal import NotYetValid, Refused, Stale
from certificates.verdict import certificate, chain, keys, names, private
from certificates.verdict.der import Malformed

if TYPE_CHECKING:
    from certificates.keypair import KeyPair

# What a client reads of a TLS certificate message, and what the message adds to its certificates.
_LONGEST_MESSAGE = 262_144
_MESSAGE, _ENTRY = 4, 5


@dataclasses.dataclass(frozen=True)
class _Parsed:
    leaf: certificate.Certificate
    intermediates: Sequence[certificate.Certificate]
    trusted: Sequence[certificate.Certificate]


def check(pair: KeyPair, sans: Iterable[str]) -> datetime.datetime:
    """Return until when the API server accepts ``pair`` for ``sans``, in UTC.

    Raises:
        Stale: an otherwise good certificate does not cover one of ``sans``.
        NotYetValid: an otherwise good certificate, or its authority, is not valid yet.
        Refused: the pair can never be served; the text says why.
    """
    try:
        return _check(_parse(pair), list(sans), datetime.datetime.now(datetime.timezone.utc))
    except Refused:
        raise
    except Malformed as error:
        raise Refused(f"cannot be read ({error})") from None
    except Exception as error:
        # cryptography's errors for unreadable input have no common base.
        raise Refused(f"cannot be read ({type(error).__name__})") from error


def _check(parsed: _Parsed, sans: Sequence[str], now: datetime.datetime) -> datetime.datetime:
    try:
        return _check_at(parsed, sans, now)
    except NotYetValid as early:
        # To wait is of use only if nothing else is wrong.
        _check(parsed, sans, early.starts)
        raise


def _check_at(parsed: _Parsed, sans: Sequence[str], now: datetime.datetime) -> datetime.datetime:
    chain.check_alone(parsed.leaf, now, whose="")
    search = chain.Search(parsed.trusted, parsed.intermediates, now)
    found = list(search.chains(parsed.leaf))
    if not found:
        raise _likeliest(search.problems)
    lacking = [name for name in sans if not _covers(parsed.leaf, name)]
    if lacking:
        raise Stale(f"does not cover {', '.join(sorted(lacking))}")
    return max(min(link.ends for link in links) for links in found)


def _parse(pair: KeyPair) -> _Parsed:
    message = pem.contents(pair.certificate)
    if not message:
        raise Refused("is not a PEM certificate")
    if _MESSAGE + sum(_ENTRY + len(der) for der in message) > _LONGEST_MESSAGE:
        raise Refused("has a chain of more than 256 KiB")
    served = [certificate.parse(der) for der in message]
    _check_keys([link.key for link in served])
    key = private.load(next(iter(pem.contents(pair.key)), b""))
    if not keys.belongs(key, served[0].key):
        raise Refused("does not belong to its private key")
    trusted = list(_readable(pem.contents(pair.ca, with_headers=False)))
    return _Parsed(served[0], served[1:], trusted)


def _readable(authorities: Iterable[bytes]) -> Iterable[certificate.Certificate]:
    """Leave out what Go leaves out of a pool. Where it is served, it spoils the pair."""
    for der in authorities:
        try:
            yield certificate.parse(der)
        except ValueError:
            continue


def _check_keys(served: Sequence[keys.PublicKey]) -> None:
    """Raise `Refused` where TLS takes no such key in a chain, or no such key of a leaf."""
    if any(key.bits > keys.LARGEST_RSA for key in served):
        raise Refused(f"has an RSA key of more than {keys.LARGEST_RSA} bits in its chain")
    leaf = served[0]
    if leaf.kind not in keys.SERVABLE:
        raise Refused("has a key that is not RSA, P-256, P-384, P-521 or Ed25519")
    if leaf.kind == keys.RSA and leaf.bits < keys.SMALLEST_RSA:
        raise Refused(f"has an RSA key of fewer than {keys.SMALLEST_RSA} bits")


def _likeliest(problems: Sequence[Refused]) -> Refused:
    if early := next((p for p in problems if isinstance(p, NotYetValid)), None):
        return early
    return next(iter(problems), Refused("is not signed by an authority that came with it"))


def _covers(leaf: certificate.Certificate, name: str) -> bool:
    alternatives = leaf.extensions.names
    if name in {str(address) for address in alternatives.ip}:
        return True
    return any(names.stands_for(pattern, name) for pattern in alternatives.dns)

# Copyright 2026 Canonical Ltd.
# See LICENSE file for licensing details.

"""The verdict on a key pair: whether the API server accepts a server that presents it.

cryptography reads the certificates and verifies their signatures. The rules are those of Go's
``crypto/x509`` and ``crypto/tls``, because kube-apiserver is the client: a pair that it refuses
must not replace the one in use. ``tests/conformance`` compares the verdicts with Go's own, and
names the few kinds that are refused here and not there.

A handshake of Python's ``ssl`` cannot decide: OpenSSL refuses certificates that Go accepts, such
as one for ``anyExtendedKeyUsage``, and Python cannot tell it to check less.
"""

from __future__ import annotations

import contextlib
import datetime
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, cast

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, ExtensionOID

from certificates import names, parser, pem, policies
from certificates.refusal import NotYetValid, Refused, Stale

if TYPE_CHECKING:
    from certificates.keypair import KeyPair

Chain = tuple[x509.Certificate, ...]

# What a client reads of a TLS certificate message, and what the message adds to its certificates.
_LONGEST_MESSAGE, _MESSAGE, _ENTRY = 262_144, 4, 5
# Go gives up after so many candidates, and up to Go 1.25 after so many names times constraints.
_MOST_CANDIDATES, _MOST_COMPARISONS = 100, 250_000
_SMALLEST_RSA, _LARGEST_RSA = 1024, 8192
_SERVABLE = ("RSAPublicKey", "Ed25519PublicKey", "secp256r1", "secp384r1", "secp521r1")
_VERIFIABLE = (*_SERVABLE, "secp224r1")
_HASHES = ("sha256", "sha384", "sha512")
_BROKEN = {"sha1": "SHA-1", "md5": "MD5"}
_SERVER = {ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE}
_NO_USAGE = x509.KeyUsage(*[False] * 9)
_KNOWN_EXTENSIONS = (
    x509.BasicConstraints,
    x509.CertificatePolicies,
    x509.CRLDistributionPoints,
    x509.ExtendedKeyUsage,
    x509.InhibitAnyPolicy,
    x509.KeyUsage,
    x509.NameConstraints,
    x509.PolicyConstraints,
    x509.SubjectAlternativeName,
)


def check(pair: KeyPair, sans: Iterable[str]) -> datetime.datetime:
    """Return until when the API server accepts ``pair`` for ``sans``, in UTC.

    Raises:
        Stale: an otherwise good certificate does not cover one of ``sans``.
        NotYetValid: an otherwise good certificate, or its authority, is not valid yet.
        Refused: the pair can never be served; the text says why.
    """
    now = datetime.datetime.now(datetime.timezone.utc)
    try:
        return _check(_served(pair), _pool(pair), list(sans), now)
    except Refused:
        raise
    except Exception as error:
        # cryptography's errors for unreadable input have no common base.
        raise Refused(f"cannot be read ({type(error).__name__})") from error


def _check(
    served: Chain, trusted: Chain, sans: Sequence[str], now: datetime.datetime
) -> datetime.datetime:
    problems: list[Refused] = []
    try:
        _check_alone(served[0], now, whose="")
        found = list(_chains(served, trusted, now, problems))
        if not found:
            early = (problem for problem in problems if isinstance(problem, NotYetValid))
            unsigned = Refused("is not signed by an authority that came with it")
            raise next(early, [*problems, unsigned][0])
    except NotYetValid as early:
        # To wait is of use only if nothing else is wrong.
        _check(served, trusted, sans, early.starts)
        raise
    if lacking := [name for name in sans if not _covers(served[0], name)]:
        raise Stale(f"does not cover {', '.join(sorted(lacking))}")
    return max(min(link.not_valid_after_utc for link in chain) for chain in found)


def _covers(leaf: x509.Certificate, name: str) -> bool:
    kinds = (x509.DNSName, x509.IPAddress)
    known = [each for each in parser.alternative_names(leaf) if isinstance(each, kinds)]
    texts = {str(each.value).lower() for each in known}
    return not texts.isdisjoint({name, f"*.{name.partition('.')[2]}"})


def _served(pair: KeyPair) -> Chain:
    """Return the leaf and its intermediates. Raise `Refused` where no server can present them."""
    message = pem.contents(pair.certificate)
    if not message:
        raise Refused("is not a PEM certificate")
    if _MESSAGE + sum(_ENTRY + len(der) for der in message) > _LONGEST_MESSAGE:
        raise Refused("has a chain of more than 256 KiB")
    served = tuple(parser.parse(der) for der in message)
    if any(parser.rsa_bits(link) > _LARGEST_RSA for link in served):
        raise Refused(f"has an RSA key of more than {_LARGEST_RSA} bits in its chain")
    if parser.key_kind(served[0]) not in _SERVABLE:
        raise Refused("has a key that is not RSA, P-256, P-384, P-521 or Ed25519")
    if 0 < parser.rsa_bits(served[0]) < _SMALLEST_RSA:
        raise Refused(f"has an RSA key of fewer than {_SMALLEST_RSA} bits")
    _check_key(next(iter(pem.contents(pair.key)), b""), served[0])
    return served


def _check_key(data: bytes, leaf: x509.Certificate) -> None:
    if parser.private_key(data).public_key() != leaf.public_key():
        raise Refused("does not belong to its private key")


def _pool(pair: KeyPair) -> Chain:
    """Leave out what Go leaves out of a pool. Where it is served, it spoils the pair."""
    found: list[x509.Certificate] = []
    for der in pem.contents(pair.ca, with_headers=False):
        with contextlib.suppress(Exception):
            found.append(parser.parse(der))
    return tuple(found)


def _check_alone(
    certificate: x509.Certificate, now: datetime.datetime, whose: str = "has an authority that "
) -> None:
    """Raise `Refused` where the certificate can be in no chain, whatever the others are."""
    critical = [extension for extension in parser.extensions(certificate) if extension.critical]
    unknown = [e.oid.dotted_string for e in critical if not _is_known(certificate, e)]
    starts, ends = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    usages = parser.get(certificate, x509.ExtendedKeyUsage)
    if unknown:
        raise Refused(f"{whose}has an unknown critical extension ({', '.join(unknown)})")
    if now < starts:
        raise NotYetValid(whose, starts)
    if now > ends:
        raise Refused(f"{whose}expired on {ends:%Y-%m-%d %H:%M} UTC")
    if usages and _SERVER.isdisjoint(usages):
        raise Refused(f"{whose}lacks serverAuth in its extended key usage")


def _is_known(
    certificate: x509.Certificate, extension: x509.Extension[x509.ExtensionType]
) -> bool:
    """Return whether Go checks it: at least one of the names, all of the name constraints."""
    if isinstance(extension.value, x509.SubjectAlternativeName):
        return bool(parser.alternative_names(certificate))
    if isinstance(extension.value, x509.NameConstraints):
        bases = (base for _, base in parser.name_constraints(certificate))
        return all(isinstance(base, names.KNOWN) for base in bases)
    return extension.oid == ExtensionOID.POLICY_MAPPINGS or isinstance(
        extension.value, _KNOWN_EXTENSIONS
    )


def _chains(
    served: Chain, trusted: Chain, now: datetime.datetime, problems: list[Refused]
) -> Iterator[Chain]:
    """Return every chain that Go accepts. Collect in ``problems`` why others are none."""
    candidates = iter(range(_MOST_CANDIDATES))

    def longer(chain: Chain) -> Iterator[Chain]:
        for pool in (trusted, served[1:]):
            for parent in _parents(chain[-1], pool):
                if next(candidates, None) is None:
                    return
                if parent in chain:
                    continue
                try:
                    _check_authority(parent, len(chain) - 1, is_trusted=pool is trusted)
                    if not _is_signed(chain[-1], parent):
                        continue
                    _check_alone(parent, now)
                    _check_names(parent, chain)
                except Refused as problem:
                    problems.append(problem)
                    continue
                found = (*chain, parent)
                if pool is not trusted:
                    yield from longer(found)
                elif policies.are_valid(found):
                    yield found
                else:
                    problems.append(Refused("lacks a certificate policy that its chain requires"))

    # Every trusted certificate ends a chain, a root or not.
    yield from [served[:1]] if served[0] in trusted else longer(served[:1])


def _parents(child: x509.Certificate, pool: Chain) -> Chain:
    """Return who may have signed, the likelier first: the order matters to the limit."""
    named = parser.get(child, x509.AuthorityKeyIdentifier)
    wanted = named.key_identifier if named else None

    def unlikely(candidate: x509.Certificate) -> int:
        own = parser.get(candidate, x509.SubjectKeyIdentifier)
        present = own.digest if own else None
        if present == wanted:
            return 0
        return 2 if present and wanted else 1

    return tuple(sorted((c for c in pool if c.subject == child.issuer), key=unlikely))


def _check_authority(
    certificate: x509.Certificate, intermediates: int, *, is_trusted: bool
) -> None:
    """Raise `Refused` where the certificate cannot stand so far above the leaf."""
    basic = parser.get(certificate, x509.BasicConstraints)
    usage = parser.get(certificate, x509.KeyUsage)
    is_old_root = is_trusted and certificate.version is x509.Version.v1
    if not (basic.ca if basic else is_old_root):
        raise Refused("has an authority that is not a CA by its basic constraints")
    if usage and usage != _NO_USAGE and not usage.key_cert_sign:
        raise Refused("has an authority that lacks keyCertSign in its key usage")
    longest = basic.path_length if basic else None
    if longest is not None and intermediates > longest:
        raise Refused(f"has an authority that allows {longest} intermediates, not more")


def _is_signed(child: x509.Certificate, parent: x509.Certificate) -> bool:
    """Return whether the parent signed the child, by an algorithm that Go verifies."""
    try:
        digest = child.signature_hash_algorithm
    except UnsupportedAlgorithm:
        return False
    if digest and digest.name in _BROKEN:
        raise Refused(f"has a chain that is signed with {_BROKEN[digest.name]}")
    if parser.key_kind(parent) not in _VERIFIABLE or 0 < parser.rsa_bits(parent) < _SMALLEST_RSA:
        return False
    try:
        child.verify_directly_issued_by(parent)
        if isinstance(child.signature_algorithm_parameters, padding.PSS) and digest:
            # Go wants one function for message and mask, and a salt as long as its digest.
            pss = padding.PSS(padding.MGF1(digest), digest.digest_size)
            key = cast("rsa.RSAPublicKey", parser.key(parent))
            key.verify(child.signature, child.tbs_certificate_bytes, pss, digest)
    except Exception:  # noqa: BLE001  (any reason means no)
        return False
    return not digest or digest.name in _HASHES


def _check_names(authority: x509.Certificate, chain: Chain) -> None:
    """Raise `Refused` where the authority must not sign for a name in the chain below it."""
    rules = parser.name_constraints(authority)
    found = [name for signed in chain for name in parser.alternative_names(signed)]
    refuse = "has an authority whose name constraints refuse"
    if len(found) * len(rules) > _MOST_COMPARISONS:
        raise Refused(f"{refuse} so many names")
    for name in found if rules else ():
        if not names.is_allowed(name, rules):
            raise Refused(f"{refuse} {name.value or 'an empty name'}")

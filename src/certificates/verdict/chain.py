"""The chains from a leaf to what a client trusts. Pure, but for the signatures.

By ``buildChains``, ``isValid`` and ``checkChainForKeyUsage`` of Go's ``crypto/x509/verify.go``,
and ``CheckSignatureFrom`` (``x509.go``). Every certificate that the client trusts ends a chain,
a root or not.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Sequence

from certificates.refusal import NotYetValid, Refused
from certificates.verdict import constraints, keys, policies
from certificates.verdict.certificate import Certificate

Chain = tuple[Certificate, ...]

# Go gives up after so many candidates, and up to Go 1.25 after so many names times constraints.
_MOST_CANDIDATES = 100
_MOST_COMPARISONS = 250_000

_SERVER_AUTH = "1.3.6.1.5.5.7.3.1"
_ANY_USAGE = "2.5.29.37.0"


def check_alone(
    certificate: Certificate, now: datetime.datetime, whose: str = "has an authority that "
) -> None:
    """Raise `Refused` where the certificate can be in no chain, whatever the others are."""
    if unknown := certificate.extensions.unknown:
        raise Refused(f"{whose}has an unknown critical extension ({', '.join(unknown)})")
    if now < certificate.starts:
        raise NotYetValid(whose, certificate.starts)
    if now > certificate.ends:
        raise Refused(f"{whose}expired on {certificate.ends:%Y-%m-%d %H:%M} UTC")
    usages = certificate.extensions.usages
    if usages and not {_ANY_USAGE, _SERVER_AUTH} & set(usages):
        raise Refused(f"{whose}lacks serverAuth in its extended key usage")


class Search:
    """Finds the chains, and collects in ``problems`` why others are none."""

    def __init__(
        self,
        trusted: Sequence[Certificate],
        served: Sequence[Certificate],
        now: datetime.datetime,
    ) -> None:
        self.problems: list[Refused] = []
        self._trusted = trusted
        self._served = served
        self._now = now
        self._candidates = 0

    def chains(self, leaf: Certificate) -> Iterator[Chain]:
        """Return every chain that the API server accepts, but for the host's name."""
        if any(leaf.raw == authority.raw for authority in self._trusted):
            found: Iterator[Chain] = iter([(leaf,)])
        else:
            found = self._extended((leaf,))
        for chain in found:
            problem = self._of_whole(chain)
            if problem is None:
                yield chain
            else:
                self.problems.append(problem)

    def _extended(self, chain: Chain) -> Iterator[Chain]:
        for pool, is_trusted in ((self._trusted, True), (self._served, False)):
            for candidate in _parents(chain[-1], pool):
                self._candidates += 1
                if self._candidates > _MOST_CANDIDATES:
                    return
                if not candidate.key.kind or _is_in(candidate, chain):
                    continue
                if not self._accepts(candidate, chain, is_trusted):
                    continue
                longer = (*chain, candidate)
                yield from iter([longer]) if is_trusted else self._extended(longer)

    def _accepts(self, candidate: Certificate, chain: Chain, is_trusted: bool) -> bool:
        try:
            if not _signed(chain[-1], candidate):
                return False
            check_alone(candidate, self._now)
            _check_place(candidate, len(chain) - 1, is_trusted)
        except Refused as problem:
            self.problems.append(problem)
            return False
        return True

    def _of_whole(self, chain: Chain) -> Refused | None:
        self_issued = [certificate.issuer == certificate.subject for certificate in chain]
        if not policies.are_valid([link.extensions for link in chain], self_issued):
            return Refused("lacks a certificate policy that its chain requires")
        if name := _refused_name(chain):
            return Refused(f"has an authority whose name constraints refuse {name}")
        return None


def _refused_name(chain: Chain) -> str:
    """Return the first name that an authority must not sign for; empty if there is none."""
    for index, authority in enumerate(chain):
        rule = authority.extensions.constraints
        if rule is None:
            continue
        for signed in chain[:index]:
            if len(signed.extensions.names) * len(rule) > _MOST_COMPARISONS:
                return "so many names"
            if name := constraints.refused(signed.extensions.names, rule):
                return name
    return ""


def _parents(child: Certificate, pool: Sequence[Certificate]) -> list[Certificate]:
    """Return who may have signed, the likelier first: the order matters to the limit."""
    wanted = child.extensions.authority_key

    def unlikely(candidate: Certificate) -> int:
        present = candidate.extensions.subject_key
        if present == wanted:
            return 0
        return 2 if present and wanted else 1

    named = [candidate for candidate in pool if candidate.subject == child.issuer]
    return sorted(named, key=unlikely)


def _is_in(candidate: Certificate, chain: Chain) -> bool:
    """Return whether the chain has this name, key and SANs, in whatever certificate."""
    return any(
        candidate.subject == other.subject
        and candidate.key.raw == other.key.raw
        and candidate.extensions.san == other.extensions.san
        for other in chain
    )


def _signed(child: Certificate, parent: Certificate) -> bool:
    """Return whether the parent signed the child. Raise `Refused` where it must not."""
    is_ca = parent.extensions.is_ca
    if is_ca is False or (is_ca is None and parent.version == 3):
        raise Refused("has an authority that is not a CA by its basic constraints")
    if not parent.extensions.may_sign:
        raise Refused("has an authority that lacks keyCertSign in its key usage")
    if broken := keys.weakness(child.scheme):
        raise Refused(f"has a chain that is signed with {broken}")
    return keys.verifies(parent.key, child.scheme, child.signature, child.signed)


def _check_place(candidate: Certificate, intermediates: int, is_trusted: bool) -> None:
    """Raise `Refused` where the certificate cannot stand so far above the leaf."""
    is_ca, longest = candidate.extensions.is_ca, candidate.extensions.path_length
    if not is_trusted and not is_ca:
        raise Refused("has an authority that is not a CA by its basic constraints")
    if longest is not None and intermediates > longest:
        raise Refused(f"has an authority that allows {longest} intermediates, not more")

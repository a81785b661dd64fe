# Copyright 2026 Canonical Ltd.
# See LICENSE file for licensing details.

"""Certificate policies as Go checks them: RFC 5280, section 6.1, as RFC 9618 changes it. Pure."""

from __future__ import annotations

from cryptography import x509

from certificates import parser

_ANY = bytes.fromhex("551d2000")

Policies = dict[bytes, set[bytes]]
"""Policies by their object identifiers, with what each may be called in the certificate below."""


def are_valid(chain: tuple[x509.Certificate, ...]) -> bool:
    """Return whether a chain, the leaf first, has every policy that a certificate in it requires.

    Its last certificate is trusted whatever its policies are.
    """
    # How many certificates down a policy is required, and mappings and "any" count no more.
    required = unmapped = no_any = len(chain)
    valid: Policies | None = {_ANY: {_ANY}}
    for link in chain[-2:0:-1]:
        is_self_issued = link.issuer.public_bytes() == link.subject.public_bytes()
        valid = _below(valid, link, takes_any=no_any > 0 or is_self_issued)
        pairs = parser.policy_mappings(link)
        if valid is not None and unmapped and any(_ANY in pair for pair in pairs):
            return False
        valid = _mapped(valid, pairs, maps=unmapped > 0)
        if not is_self_issued:
            required, unmapped, no_any = (max(0, n - 1) for n in (required, unmapped, no_any))
        limits = parser.policy_limits(link)
        required, unmapped, no_any = map(min, (required, unmapped, no_any), limits)
    if len(chain) == 1 or _below(valid, chain[0], takes_any=no_any > 0):
        return True
    return required > 1 and parser.policy_limits(chain[0])[0] > 0


def _below(valid: Policies | None, link: x509.Certificate, *, takes_any: bool) -> Policies | None:
    """Return which policies of ``link`` are ``valid``; None where it has none, or one above it."""
    policies = parser.policies(link)
    if valid is None or not policies:
        return None
    expected = set[bytes]().union(*valid.values())
    found = {policy for policy in policies if policy in expected or _ANY in valid} - {_ANY}
    if _ANY in policies and takes_any:
        found |= expected
    return {policy: {policy} for policy in found}


def _mapped(
    valid: Policies | None, pairs: list[tuple[bytes, bytes]], *, maps: bool
) -> Policies | None:
    """Return ``valid`` with the names that the mappings in ``pairs`` give to the policies."""
    if valid is None:
        return None
    if not maps:
        unnamed = {above for above, _ in pairs}
        return {policy: below for policy, below in valid.items() if policy not in unnamed}
    mapped: Policies = {}
    for above, below in pairs:
        if above in valid or _ANY in valid:
            mapped.setdefault(above, set()).add(below)
    return valid | mapped

"""Certificate policies: whether a chain has one that is required. Pure.

By ``policiesValid`` of Go's ``crypto/x509/verify.go`` (since Go 1.24), which follows RFC 5280
and RFC 9618, for a client that accepts any policy.
"""

from __future__ import annotations

from collections.abc import Sequence

from certificates.verdict.extensions import Extensions

_ANY = bytes([0x55, 0x1D, 0x20, 0x00])

# The valid policies of a certificate, each with those that it stands for one certificate below.
Policies = dict[bytes, set[bytes]]


def are_valid(chain: Sequence[Extensions], self_issued: Sequence[bool]) -> bool:
    """Return whether the chain, leaf first, has every policy that it requires."""
    if len(chain) == 1:
        return True
    depth = len(chain) - 1
    explicit, mapping, any_policy = depth + 1, depth + 1, depth + 1
    valid: Policies = {_ANY: {_ANY}}
    for index in range(depth - 1, -1, -1):
        certificate = chain[index]
        allows_any = any_policy > 0 or (index > 0 and self_issued[index])
        valid = _below(valid, certificate, allows_any) if valid else {}
        if explicit == 0 and not valid and not certificate.policies:
            return False
        if index == 0:
            break
        if not _map(valid, certificate, mapping > 0):
            return False
        if not self_issued[index]:
            explicit, mapping, any_policy = (
                max(n - 1, 0) for n in (explicit, mapping, any_policy)
            )
        explicit = _least(explicit, certificate.explicit_policy)
        mapping = _least(mapping, certificate.inhibit_mapping)
        any_policy = _least(any_policy, certificate.inhibit_any)
    required = explicit <= 1 or chain[0].explicit_policy == 0
    return bool(valid) or not required


def _below(valid: Policies, certificate: Extensions, allows_any: bool) -> Policies:
    found: Policies = {}
    for policy in certificate.policies:
        expected = any(policy in stands_for for stands_for in valid.values())
        if policy != _ANY and (expected or _ANY in valid):
            found[policy] = {policy}
    if _ANY in certificate.policies and allows_any:
        for policy in set[bytes]().union(*valid.values()):
            found.setdefault(policy, {policy})
    return found


def _map(valid: Policies, certificate: Extensions, is_allowed: bool) -> bool:
    """Replace what policies stand for. Return False where a mapping is not allowed at all."""
    if not valid:
        return True
    mapped: Policies = {}
    for issuers, subjects in certificate.policy_mappings:
        if not is_allowed:
            valid.pop(issuers, None)
        elif _ANY in (issuers, subjects):
            return False
        else:
            mapped.setdefault(issuers, set()).add(subjects)
    for policy, subjects in mapped.items():
        if policy in valid or _ANY in valid:
            valid[policy] = subjects
    return True


def _least(current: int, asked: int | None) -> int:
    return current if asked is None else min(current, asked)

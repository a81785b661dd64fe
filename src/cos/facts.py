# Copyright 2026 Canonical Ltd.
# See LICENSE file for licensing details.

"""What the alert rules say and no metric of the authenticator does. Pure."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Collection

from certificates.keypair import KeyPair
from fingerprint import fingerprint


@dataclasses.dataclass(frozen=True)
class Facts:
    """What the leader knows.

    Attributes:
        certificate: The fingerprint of the certificate that the pods serve, with its authority.
        starts: When it becomes valid, in seconds since 1970; 0 if it cannot be read.
        ends: When it or its authority expires; 0 if it cannot be read.
        to_correct: How many mappings never work as they are.
    """

    certificate: str
    starts: int = 0
    ends: int = 0
    to_correct: int = 0

    def dump(self) -> str:
        """Return them as the peers' databag holds them."""
        return f"{self.certificate} {self.starts} {self.ends} {self.to_correct}"


def load(text: str) -> Facts | None:
    """Return what `Facts.dump` wrote; None for any other text."""
    try:
        certificate, starts, ends, to_correct = text.split()
        return Facts(certificate, int(starts), int(ends), int(to_correct))
    except ValueError:
        return None


def learn(known: str, pair: KeyPair, to_correct: Collection[str]) -> Facts:
    """Return the facts; ``known`` is what was published last.

    To read a certificate costs more than the rest of a settled hook, so its dates are taken from
    there if it is the same one.
    """
    certificate, former = fingerprint(pair.certificate + pair.ca), load(known)
    if former and former.certificate == certificate:
        return dataclasses.replace(former, to_correct=len(to_correct))
    return Facts(certificate, *_validity(pair), len(to_correct))


def _validity(pair: KeyPair) -> tuple[int, int]:
    """Return from when to when clients accept ``pair``; zeros if it cannot be read."""
    from certificates import pem, verdict

    try:
        leaf = verdict.read(next(iter(pem.certificates(pair.certificate)), ""))
    except ValueError:
        return 0, 0
    ends = leaf.not_valid_after_utc
    with contextlib.suppress(ValueError):
        # The end of the whole chain, unless that is over or not yet valid.
        ends = verdict.check(pair, ())
    return int(leaf.not_valid_before_utc.timestamp()), int(ends.timestamp())

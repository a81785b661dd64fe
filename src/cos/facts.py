# SPDX-License-Identifier: Apache-2.0

"""What the alert rules say and no metric of the authenticator does."""

from __future__ import annotations

import contextlib
import dataclasses
import datetime

from certificates.keypair import KeyPair
from text import fingerprint


@dataclasses.dataclass(frozen=True)
class Facts:
    """What the leader knows."""

    # The fingerprint of the pods' certificate, with its authority; empty before `learn`.
    certificate: str = ""
    starts: int = 0  # When it becomes valid, in seconds since 1970; 0 if it cannot be read.
    ends: int = 0  # When it or its authority expires; 0 if it cannot be read.
    to_correct: int = 0  # How many mappings somebody has to correct.
    # When the next access ends, or ended if its mapping is still there; 0 for never.
    next_end: int = 0
    replicas: int = 0  # How many pods there should be; 0 if that is unknown.

    def dump(self) -> str:
        """Return them as the peers' databag holds them."""
        return " ".join(map(str, dataclasses.astuple(self)))


def load(text: str) -> Facts | None:
    """Return what `Facts.dump` wrote; None for any other text."""
    try:
        certificate, *numbers = text.split()
        if len(numbers) != len(dataclasses.fields(Facts)) - 1:
            return None
        return Facts(certificate, *map(int, numbers))
    except ValueError:
        return None


def learn(known: str, pair: KeyPair, counted: Facts) -> Facts:
    """Return what is ``counted`` with what ``pair`` says; ``known`` is what was published last.

    To read a certificate costs more than the rest of a settled hook, so its dates are taken from
    there if it is the same one.
    """
    certificate, former = fingerprint(pair.certificate + pair.ca), load(known)
    if former and former.certificate == certificate:
        starts, ends = former.starts, former.ends
    else:
        starts, ends = _validity(pair)
    return dataclasses.replace(counted, certificate=certificate, starts=starts, ends=ends)


def seconds(moment: datetime.datetime | None) -> int:
    """Return ``moment`` in seconds since 1970, of which the first counts as the second one; 0 for
    none."""
    return max(1, int(moment.timestamp())) if moment else 0


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
        ends = verdict.check(pair)
    return int(leaf.not_valid_before_utc.timestamp()), int(ends.timestamp())

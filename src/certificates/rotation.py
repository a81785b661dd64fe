# SPDX-License-Identifier: Apache-2.0

"""How a new certificate authority replaces the old one without a failed login.

The states and the steps between them are the table in `docs/how-to/change-the-authority.md`.
They are derived from what is trusted and what is served, never stored: after a hook that died,
or under another leader, the next plan goes on from where things are.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence

from certificates import pem
from certificates.keypair import KeyPair, NotYetValid, PairRefused
from errors import Waiting
from statuses import waiting


@dataclasses.dataclass(frozen=True)
class Plan:
    """The next step."""

    pair: KeyPair | None  # The pair for the pods to serve now; None while there is none.
    # The units that hold the issued pair back, because they do not trust it yet.
    pending_trust: tuple[str, ...] = ()
    # Whether ``pair.ca`` is all to trust once every pod serves ``pair``.
    can_drop_old_ca: bool = False

    def check_trusted(self) -> None:
        """Raise `errors.Waiting`, which names the pending units, if there are any."""
        if self.pending_trust:
            units = ", ".join(self.pending_trust)
            raise Waiting(waiting.TRUST(units=units), announced=True)


def bundle(trusted: str, current: KeyPair | None, issued: KeyPair | None) -> str:
    """Return the CA bundle for every unit to trust.

    Every unit trusts the new authority before any pod serves a certificate of it, and the old
    one until no pod does. ``trusted`` is the bundle that the units were last told to trust,
    ``current`` the pair that the pods serve, and ``issued`` the one that was issued last.
    """
    return pem.ca_bundle(trusted, *(pair.ca for pair in (current, issued) if pair))


def plan(
    trust: str,
    current: KeyPair | None,
    issued: KeyPair | None,
    not_trusting: Callable[[str], Sequence[str]],
) -> Plan:
    """Return the next step of the change to the authority of ``issued``.

    ``trust`` is the `bundle` of ``current`` and ``issued``, and ``not_trusting`` returns the units
    that have not acknowledged a bundle. To ask that is a hook-tool call for each unit.
    """
    if not issued:
        return Plan(current)
    if _waits_for_trust(current, issued) and (pending := not_trusting(trust)):
        return Plan(current, tuple(pending))
    return Plan(issued, can_drop_old_ca=issued.ca != trust)


def _waits_for_trust(current: KeyPair | None, issued: KeyPair) -> bool:
    """Return whether the pods serve ``current`` until every unit trusts another authority.

    A certificate that no client accepts any more, because it has expired, is kept for no unit.
    """
    if not current or current.ca == issued.ca:
        return False
    from certificates import verdict

    try:
        verdict.check(current)
    except NotYetValid:
        return True
    except PairRefused:
        return False
    return True

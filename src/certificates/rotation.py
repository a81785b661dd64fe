# Copyright 2026 Canonical Ltd.
# See LICENSE file for licensing details.

"""How a new certificate authority replaces the old one without a failed login. Pure.

The states and the steps between them are the table in `docs/how-to/change-the-authority.md`.
They are derived from what is trusted and what is served, never stored: after a hook that died,
or under another leader, the next plan goes on from where things are.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence

from certificates import pem
from certificates.keypair import KeyPair


@dataclasses.dataclass(frozen=True)
class Plan:
    """The next step.

    Attributes:
        pair: The pair for the pods to serve now; None while there is none.
        trust: The CA bundle for every unit to trust.
        pending_trust: The units that do not trust it yet, and so hold back the issued pair.
        can_drop_old_ca: Whether ``pair.ca`` is all to trust once every pod serves ``pair``.
    """

    pair: KeyPair | None
    trust: str
    pending_trust: tuple[str, ...] = ()
    can_drop_old_ca: bool = False

    @property
    def blocker(self) -> str:
        """Return the status that names the pending units; empty while there are none."""
        if not self.pending_trust:
            return ""
        return f"waiting for {', '.join(self.pending_trust)} to trust the new authority"


def plan(
    trusted: str,
    current: KeyPair | None,
    issued: KeyPair | None,
    units_not_trusting: Callable[[str], Sequence[str]],
) -> Plan:
    """Return the next step of the change to the authority of ``issued``.

    Every unit trusts the new authority before any pod serves a certificate of it, and the old
    one until no pod does.

    Args:
        trusted: The CA bundle that the units were last told to trust.
        current: The pair that the pods serve.
        issued: The pair that the provider issued last.
        units_not_trusting: Returns the units that have not acknowledged a CA bundle. A function,
            because each unit's databag costs a hook-tool call, which only a change is worth.
    """
    trust = pem.ca_bundle(trusted, *(pair.ca for pair in (current, issued) if pair))
    if not issued:
        return Plan(current, trust)
    changes = current and current.ca != issued.ca
    if changes and (pending := units_not_trusting(trust)):
        return Plan(current, trust, tuple(pending))
    return Plan(issued, trust, can_drop_old_ca=issued.ca != trust)

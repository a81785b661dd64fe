# SPDX-License-Identifier: Apache-2.0

"""The ``certificates`` relation: one answer for both of its protocols.

What a provider writes shows which of the two it speaks. The leader asks in the newer one until the
older shows itself. It asks for the Service's name alone: nobody verifies the Service's address.
"""

from __future__ import annotations

import contextlib
import datetime
import functools
import logging
from collections.abc import Generator
from typing import TYPE_CHECKING

import ops

import certificates
from certificates import Issued, KeyPair, PairRefused
from errors import Blocked, Unready
from memory import Memory
from statuses import blocked
from text import fingerprint

if TYPE_CHECKING:
    from certificates import csr_protocol

logger = logging.getLogger(__name__)

ENDPOINT = "certificates"
# How the library's labels of secrets begin, as it documents none.
_LIBRARY = "afd8c2bccf834997afce12c2706d2ede-"


class Certificates:
    """The relation's requirer. Leader only.

    A unit that leaves hands it no event: the library would throw the application's key away in the
    leader's last hooks. Where the whole application goes, Juju removes its secrets.
    """

    def __init__(self, charm: ops.CharmBase, memory: Memory):
        self._charm, self._memory = charm, memory
        self._relation = next(iter(charm.model.relations[ENDPOINT]), None)
        self._provider = provider = self._relation.app.name if self._relation else ""
        self._removal = f"juju remove-relation {charm.app.name}:{ENDPOINT} {provider}"

    def on_event(self, event: ops.EventBase) -> None:
        """Let the library of the newer protocol handle ``event``, if that is about the relation.

        An answer that cannot be read raises nothing here: `obtain` raises for it.
        """
        if isinstance(event, ops.RelationBrokenEvent):
            is_ours = event.relation.name == ENDPOINT
        else:
            label = event.secret.label if isinstance(event, ops.SecretEvent) else ""
            is_ours = (label or "").startswith(_LIBRARY)
        if is_ours:
            with contextlib.suppress(Blocked), self._reading():
                self._library.on_event(event)

    def obtain(self, in_use: KeyPair | None) -> Issued:
        """Ask for a certificate, and return what that has led to.

        The pair ``in_use`` stays as long as it is good, of the present authority, and not
        reissued. Raise `errors.Unready` if there is none that can be served.
        """
        if not self._relation:
            text = blocked.NO_AUTHORITY(application=self._charm.app.name)
            raise Blocked(text, announced=True)
        units = sorted(self._relation.units, key=lambda unit: unit.name)
        bags = [dict(self._relation.data[each]) for each in units]
        # Providers of the older protocol publish these before any request. A sealed vault is
        # silent.
        is_reactive = any(bag.get("ca") or bag.get("chain") for bag in bags)
        if not is_reactive:
            bags.append(dict(self._relation.data[self._relation.app]))
        if in_use and self._is_known(bags, in_use):
            return Issued(in_use)
        try:
            if is_reactive:
                # Its imports take longer than the rest of a settled hook, as the library's do.
                from certificates import reactive_protocol

                unit = self._charm.unit
                own = self._relation.data[unit]
                issued = reactive_protocol.obtain(self._provider, bags, unit.name, own, in_use)
            else:
                with self._reading():
                    issued = self._library.obtain(self._provider)
        except PairRefused as problem:
            text = blocked.CERTIFICATE_UNUSABLE(problem=problem, command=self._removal)
            raise Blocked(text, announced=True) from problem
        if issued.until:
            answer = self._answer(bags, issued.pair)
            self._memory.answer = f"{issued.until.isoformat()} {answer}"
        return issued

    def _is_known(self, bags: object, in_use: KeyPair) -> bool:
        """Return whether the provider's answer is still the one that ``in_use`` came from: to read
        an answer takes longer than the rest of a settled hook."""
        until, _, answer = self._memory.answer.partition(" ")
        if answer != self._answer(bags, in_use):
            return False
        return certificates.now() < datetime.datetime.fromisoformat(until)

    def _answer(self, bags: object, pair: KeyPair) -> str:
        """Return a name for the answer in ``bags`` that has led to ``pair``."""
        return fingerprint(repr((bags, pair.hash, pair.ca)))

    @contextlib.contextmanager
    def _reading(self) -> Generator[None]:
        """Raise what the library raises at a malformed answer of the provider as `Blocked`."""
        try:
            yield
        except (Unready, PairRefused, ops.ModelError, ops.hookcmds.Error):
            raise
        except Exception as error:
            # What cryptography raises at a malformed certificate has no common base.
            kind = type(error).__name__
            logger.warning("the answer of %s cannot be read (%s)", self._provider, kind)
            text = blocked.CERTIFICATE_MALFORMED(command=self._removal)
            raise Blocked(text, announced=True) from error

    @functools.cached_property
    def _library(self) -> csr_protocol.Requirer:
        from certificates import csr_protocol

        return csr_protocol.Requirer(self._charm, ENDPOINT)

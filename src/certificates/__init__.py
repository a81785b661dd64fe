"""The ``certificates`` relation: one answer for both of its protocols.

Which of the two a provider speaks shows only in what it writes: the older one in unit
databags, the newer in the application's. The leader asks in the newer one until the older
shows itself, and takes whichever answer comes.
"""

from __future__ import annotations

import datetime
import hashlib
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import ops

from certificates import legacy, pem
from cluster import manifests
from errors import Blocked, Waiting

if TYPE_CHECKING:
    from certificates import modern

ENDPOINT = "certificates"
WARNING_DAYS = 14


class Certificates(ops.Object):
    """The pair that the pods shall serve with; for the leader.

    ``remembered`` are the names that were asked for before: what the request stays at while
    a hook cannot know better.
    """

    # Checking a pair costs more than all the rest of a hook with nothing to do, so that a
    # checked pair is remembered by its hash.
    _stored = ops.StoredState()

    def __init__(self, charm: ops.CharmBase, remembered: Sequence[str]):
        super().__init__(charm, ENDPOINT)
        self._stored.set_default(checked="", expires="")
        self._names = list(remembered)
        self._unit = charm.unit
        self._relation = charm.model.get_relation(ENDPOINT)
        self._readable = True
        self._modern = self._make_modern(charm)

    def _make_modern(self, charm: ops.CharmBase) -> modern.Requirer | None:
        if not charm.unit.is_leader() or legacy.is_spoken_by(self._bags()):
            return None
        from certificates import modern

        # No relation is seen while it breaks: the library removes its secrets then.
        if self._relation:
            self._readable = modern.is_readable(self._relation.data[self._relation.app])
        if not self._readable:
            return None
        return modern.Requirer(charm, ENDPOINT, lambda: self._names)

    def request(self, names: Sequence[str]) -> None:
        """Ask for a certificate for ``names``, unless that has been asked already."""
        if not self._relation:
            return
        self._names = list(names)
        if self._modern:
            self._modern.sync()
        if legacy.is_spoken_by(self._bags()):
            self._write(legacy.request(self._unit.name, names))

    def withdraw(self) -> None:
        """Not leader, or no longer: exactly one unit asks."""
        if self._relation:
            self._write(legacy.NOTHING)

    def answer(self) -> manifests.Bundle:
        """The pair for the names asked for.

        Raises:
            errors.Waiting: the provider has not answered yet, or with an older one.
            errors.Blocked: no provider, a refusal, or an answer that can never be served.
        """
        if not self._relation:
            raise Blocked(
                "no certificate authority: juju integrate "
                f"{self._unit.app.name}:{ENDPOINT} easyrsa (or vault, self-signed-certificates)"
            )
        provider = self._relation.app.name
        if not self._readable:
            raise Blocked(
                f"what {provider} answered is no certificate: run juju remove-relation "
                f"{self._unit.app.name}:{ENDPOINT} {provider}, and integrate them again"
            )
        if self._modern:
            self._modern.raise_refusal(provider)
        candidates = self._candidates()
        if not candidates:
            raise Waiting(f"waiting for a certificate from {provider}")
        problems: list[ValueError] = []
        for candidate in candidates:
            try:
                self._check(candidate)
            except ValueError as problem:
                problems.append(problem)
            else:
                return candidate
        if stale := next((p for p in problems if isinstance(p, pem.Stale)), None):
            raise Waiting(f"waiting for a new certificate from {provider}: the old {stale}")
        raise Blocked(
            f"the certificate from {provider} {problems[0]}: have it issued again, see "
            f"juju actions {provider}"
        )

    @property
    def warning(self) -> str:
        """When the pair in use ends, if that is soon and nobody renews it; else empty."""
        expires = str(self._stored.expires)
        if not expires or self._modern:
            return ""
        left = datetime.datetime.fromisoformat(expires) - _now()
        return f"certificate expires {expires[:10]}" if left.days < WARNING_DAYS else ""

    def _candidates(self) -> list[manifests.Bundle]:
        modern = self._modern.reply() if self._modern else None
        return [modern] if modern else legacy.replies(self._unit.name, self._bags())

    def _check(self, candidate: manifests.Bundle) -> None:
        names = self._modern.signable() if self._modern else self._names
        text = "\0".join([candidate.certificate, candidate.key, candidate.ca, *names])
        digest = hashlib.sha256(text.encode()).hexdigest()
        expires = str(self._stored.expires)
        if self._stored.checked == digest and datetime.datetime.fromisoformat(expires) > _now():
            return
        self._stored.expires = pem.check(candidate, names).isoformat()
        self._stored.checked = digest

    def _bags(self) -> list[ops.RelationDataContent]:
        if not self._relation:
            return []
        units = sorted(self._relation.units, key=lambda unit: unit.name)
        return [self._relation.data[unit] for unit in units]

    def _write(self, values: Mapping[str, str]) -> None:
        assert self._relation  # noqa: S101  (both callers looked)
        data = self._relation.data[self._unit]
        changed = {key: value for key, value in values.items() if data.get(key, "") != value}
        if changed:
            data.update(changed)


def _now() -> datetime.datetime:
    return datetime.datetime.now(datetime.timezone.utc)

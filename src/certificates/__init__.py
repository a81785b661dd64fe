"""The ``certificates`` relation: one answer for both of its protocols.

What a provider writes shows which of the two it speaks: the older in unit databags, the newer
in the application's. The leader asks in the newer one until the older shows itself, and takes
whichever answer comes.
"""

from __future__ import annotations

import dataclasses
import datetime
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import ops

from certificates import legacy, pem
from certificates.keypair import KeyPair
from errors import Blocked, Unready, Waiting
from fingerprint import fingerprint

if TYPE_CHECKING:
    from certificates import modern

ENDPOINT = "certificates"
WARNING_DAYS = 14


@dataclasses.dataclass(frozen=True)
class Issued:
    """What a request has led to: a pair, or why there is none.

    Attributes:
        pair: The pair to serve, checked.
        refusal: What is wrong and what a person must do, as a status.
        wait: What the provider must do first, as a status.
        warning: When ``pair`` expires, if that is soon and no protocol renews it.
    """

    pair: KeyPair | None = None
    refusal: str = ""
    wait: str = ""
    warning: str = ""

    @property
    def problem(self) -> Unready:
        """Return the error to raise where there is no pair."""
        return Blocked(self.refusal) if self.refusal else Waiting(self.wait)


class Certificates(ops.Object):
    """The relation's requirer.

    ``remembered`` are the names of the request that was made before. It stays as it is in a
    hook that learns no newer names.
    """

    # A check of a pair costs more than the rest of a settled hook, so the fingerprint of the
    # pair that was checked last is remembered.
    _stored = ops.StoredState()

    def __init__(self, charm: ops.CharmBase, remembered: Sequence[str]):
        super().__init__(charm, ENDPOINT)
        self._stored.set_default(checked="", expires="")
        self._sans = list(remembered)
        self._unit = charm.unit
        self._relation = charm.model.get_relation(ENDPOINT)
        self._readable = True
        self._modern = self._make_modern(charm)

    def _make_modern(self, charm: ops.CharmBase) -> modern.Requirer | None:
        if not charm.unit.is_leader() or legacy.is_spoken_by(self._bags()):
            return None
        from certificates import modern

        # A relation that breaks is not seen here: the library removes its secrets then.
        if self._relation:
            self._readable = modern.is_readable(self._relation.data[self._relation.app])
        if not self._readable:
            return None
        return modern.Requirer(charm, ENDPOINT, lambda: self._sans)

    def obtain(self, sans: Sequence[str]) -> Issued:
        """Ask for a certificate that covers ``sans``, and return what that has led to.

        Leader only. A request that has been made is not written again.
        """
        if not self._relation:
            return Issued(
                refusal="no certificate authority: juju integrate "
                f"{self._unit.app.name}:{ENDPOINT} easyrsa (or vault, self-signed-certificates)"
            )
        self._request(self._relation, sans)
        provider = self._relation.app.name
        if not self._readable:
            return Issued(
                refusal=f"{provider} published a malformed certificate: run juju remove-relation "
                f"{self._unit.app.name}:{ENDPOINT} {provider}, and integrate them again"
            )
        if self._modern and (refusal := self._modern.refusal(provider)):
            return Issued(refusal=refusal)
        return self._choose(self._replies(), provider)

    def withdraw(self) -> None:
        """Ask for nothing: only the leader asks."""
        if self._relation:
            self._write(self._relation, legacy.NOTHING)

    def _request(self, relation: ops.Relation, sans: Sequence[str]) -> None:
        self._sans = list(sans)
        if self._modern:
            self._modern.sync()
        if legacy.is_spoken_by(self._bags()):
            self._write(relation, legacy.request(self._unit.name, sans))

    def _replies(self) -> list[KeyPair]:
        modern = self._modern.reply() if self._modern else None
        return [modern] if modern else legacy.replies(self._unit.name, self._bags())

    def _choose(self, replies: Sequence[KeyPair], provider: str) -> Issued:
        problems: list[ValueError] = []
        for pair in replies:
            try:
                return Issued(pair, warning=self._warning(self._expiry(pair)))
            except ValueError as problem:
                problems.append(problem)
        if not problems:
            return Issued(wait=f"waiting for a certificate from {provider}")
        if stale := next((p for p in problems if isinstance(p, pem.Stale)), None):
            return Issued(
                wait=f"waiting for a new certificate from {provider}: the current one {stale}"
            )
        return Issued(
            refusal=f"the certificate from {provider} {problems[0]}: have it issued again, see "
            f"juju actions {provider}"
        )

    def _expiry(self, pair: KeyPair) -> datetime.datetime:
        """Return when ``pair`` expires; raise as `pem.check` does."""
        sans = self._modern.signable() if self._modern else self._sans
        checked = fingerprint("\0".join([pair.certificate, pair.key, pair.ca, *sans]))
        if self._stored.checked == checked:
            expiry = datetime.datetime.fromisoformat(str(self._stored.expires))
            if expiry > _now():
                return expiry
        expiry = pem.check(pair, sans)
        self._stored.expires = expiry.isoformat()
        self._stored.checked = checked
        return expiry

    def _warning(self, expiry: datetime.datetime) -> str:
        if self._modern or (expiry - _now()).days >= WARNING_DAYS:
            return ""
        return f"certificate expires {expiry:%Y-%m-%d}"

    def _bags(self) -> list[ops.RelationDataContent]:
        if not self._relation:
            return []
        units = sorted(self._relation.units, key=lambda unit: unit.name)
        return [self._relation.data[unit] for unit in units]

    def _write(self, relation: ops.Relation, values: Mapping[str, str]) -> None:
        data = relation.data[self._unit]
        changed = {key: value for key, value in values.items() if data.get(key, "") != value}
        if changed:
            data.update(changed)


def _now() -> datetime.datetime:
    return datetime.datetime.now(datetime.timezone.utc)

# SPDX-License-Identifier: Apache-2.0

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

from certificates import reactive_protocol
from certificates.issued import Issued
from certificates.keypair import KeyPair
from certificates.refusal import NotYetValid, Stale
from certificates.sans import COMMON_NAME
from statuses import blocked, waiting
from text import fingerprint

if TYPE_CHECKING:
    from certificates import csr_protocol

ENDPOINT = "certificates"
WARNING_DAYS = 14
# A provider that is ready and understands the request answers within seconds.
PATIENCE = datetime.timedelta(minutes=10)
# After this long without an answer, the charm also asks for names of one domain only.
SILENCE = datetime.timedelta(seconds=20)


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
        self._stored.set_default(checked="", expires="", waiting_since="")
        self._sans = list(remembered)
        self._unit = charm.unit
        self._relation = charm.model.get_relation(ENDPOINT)
        self._readable = True
        self._modern = self._make_modern(charm)

    def _make_modern(self, charm: ops.CharmBase) -> csr_protocol.Requirer | None:
        if not charm.unit.is_leader() or reactive_protocol.is_spoken_by(self._bags()):
            return None
        from certificates import csr_protocol

        # A relation that breaks is not seen here: the library removes its secrets then.
        if self._relation:
            self._readable = csr_protocol.is_readable(self._relation.data[self._relation.app])
        if not self._readable:
            return None
        return csr_protocol.Requirer(
            charm, ENDPOINT, lambda: self._sans, is_silent=self._waited() >= SILENCE
        )

    def obtain(self, sans: Sequence[str]) -> Issued:
        """Ask for a certificate that covers ``sans``, and return what that has led to.

        Leader only. A request that has been made is not written again.
        """
        self._sans = list(sans)
        return self._timed(self._obtain())

    def withdraw(self) -> None:
        """Ask for nothing: only the leader asks."""
        self._stop_clock()
        if self._relation:
            self._write(self._relation, reactive_protocol.NOTHING)

    def _obtain(self) -> Issued:
        if not self._relation:
            return Issued(refusal=blocked.NO_AUTHORITY(application=self._unit.app.name))
        bags = self._bags()
        if reactive_protocol.is_spoken_by(bags):
            return self._obtain_legacy(self._relation, bags)
        return self._obtain_modern(self._relation)

    def _timed(self, issued: Issued) -> Issued:
        """Return ``issued`` with what to look at if its wait has lasted long."""
        if not issued.wait or not self._relation:
            self._stop_clock()
            return issued
        waited = self._waited()
        if not self._stored.waiting_since:
            self._stored.waiting_since = _now().isoformat()
        if self._modern and waited < SILENCE:
            return dataclasses.replace(issued, announced=False)
        if waited < PATIENCE:
            return issued
        provider = self._relation.app
        speaks = reactive_protocol.is_spoken_by(self._bags()) or self._relation.data[provider]
        if speaks:
            wait = waiting.PATIENCE_OVER(wait=issued.wait, authority=provider.name)
        else:
            wait = waiting.PROVIDER_SILENT(authority=provider.name)
        return dataclasses.replace(issued, wait=wait)

    def _waited(self) -> datetime.timedelta:
        """Return for how long the certificate has been waited for."""
        since = str(self._stored.waiting_since)
        if not since:
            return datetime.timedelta()
        return _now() - datetime.datetime.fromisoformat(since)

    def _stop_clock(self) -> None:
        if self._stored.waiting_since:
            self._stored.waiting_since = ""

    def _obtain_modern(self, relation: ops.Relation) -> Issued:
        provider = relation.app.name
        command = self._removal(provider)
        if not self._readable:
            return Issued(refusal=blocked.CERTIFICATE_MALFORMED(command=command))
        if not self._modern:
            return self._choose([], provider)
        self._modern.sync()
        if refusal := self._modern.refusal(provider):
            return Issued(refusal=refusal)
        reply = self._modern.reply()
        if not reply and self._modern.is_revoked():
            return Issued(wait=waiting.CERTIFICATE_REVOKED(authority=provider))
        return self._choose([reply] if reply else [], provider).with_command(command)

    def _obtain_legacy(self, relation: ops.Relation, bags: Sequence[Mapping[str, str]]) -> Issued:
        """Ask under the name of the answer in use, or under another where none can be served.

        The provider's databags decide, so the next hook or leader goes on where one has died.
        """
        provider = relation.app.name
        replies = reactive_protocol.replies(self._unit.name, bags)
        # The pair in use comes first: it is checked already.
        pairs = [reply.pair for reply in replies]
        issued = self._choose(sorted(pairs, key=lambda p: not self._is_checked(p)), provider)
        name = _name_to_ask(issued, replies, bags)
        self._write(relation, reactive_protocol.request(self._unit.name, name, self._sans))
        if issued.refusal and all(reply.name != name for reply in replies):
            return Issued(wait=waiting.ANOTHER_CERTIFICATE(problem=issued.refusal))
        return issued.with_command(self._removal(provider))

    def _removal(self, provider: str) -> str:
        return f"juju remove-relation {self._unit.app.name}:{ENDPOINT} {provider}"

    def _choose(self, replies: Sequence[KeyPair], provider: str) -> Issued:
        problems: list[ValueError] = []
        expiring: list[tuple[datetime.datetime, str, KeyPair]] = []
        for pair in replies:
            try:
                expiry = self._expiry(pair)
            except ValueError as problem:
                problems.append(problem)
                continue
            if not self._is_soon(expiry):
                return Issued(pair)
            expiring.append((expiry, pair.certificate, pair))
        if expiring:
            expiry, _, pair = max(expiring, key=lambda found: found[:2])
            return Issued(pair, expires=expiry)
        if not problems:
            return Issued(wait=waiting.CERTIFICATE(authority=provider))
        if early := next((p for p in problems if isinstance(p, NotYetValid)), None):
            return Issued(wait=waiting.CERTIFICATE_EARLY(authority=provider, problem=early))
        if stale := next((p for p in problems if isinstance(p, Stale)), None):
            return Issued(wait=waiting.CERTIFICATE_STALE(authority=provider, problem=stale))
        return Issued(refusal=str(problems[0]))

    def _expiry(self, pair: KeyPair) -> datetime.datetime:
        """Return when ``pair`` expires; raise as `verdict.check` does."""
        if self._is_checked(pair):
            expiry = datetime.datetime.fromisoformat(str(self._stored.expires))
            if expiry > _now():
                return expiry
        from certificates import verdict

        expiry = verdict.check(pair, self._wanted())
        self._stored.expires = expiry.isoformat()
        self._stored.checked = self._fingerprint(pair)
        return expiry

    def _is_checked(self, pair: KeyPair) -> bool:
        return self._stored.checked == self._fingerprint(pair)

    def _fingerprint(self, pair: KeyPair) -> str:
        return fingerprint("\0".join([pair.certificate, pair.key, pair.ca, *self._wanted()]))

    def _wanted(self) -> Sequence[str]:
        return self._modern.wanted() if self._modern else self._sans

    def _is_soon(self, expiry: datetime.datetime) -> bool:
        return not self._modern and (expiry - _now()).days < WARNING_DAYS

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


def _name_to_ask(
    issued: Issued, replies: Sequence[reactive_protocol.Reply], bags: Sequence[Mapping[str, str]]
) -> str:
    """Return the common name to ask for; ``bags`` are the databags of the provider's units."""
    if issued.expires:
        return reactive_protocol.name_for_renewal(issued.expires)
    if issued.pair:
        return next(reply.name for reply in replies if reply.pair == issued.pair)
    names = reactive_protocol.names_for_authority(bags)
    answered = {reply.name for reply in replies}
    tried = [name for name in names if name in answered]
    untried = [name for name in names if name not in answered]
    if issued.refusal and untried:
        return untried[0]
    return tried[-1] if tried else COMMON_NAME


def _now() -> datetime.datetime:
    return datetime.datetime.now(datetime.timezone.utc)

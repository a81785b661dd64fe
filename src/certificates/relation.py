# SPDX-License-Identifier: Apache-2.0

"""The ``certificates`` relation: one answer for both of its protocols.

What a provider writes shows which of the two it speaks: the older in unit databags, the newer
in the application's. The leader asks in the newer one until the older shows itself, and takes
whichever answer comes. It asks for the Service's name and address, and insists on the name.
"""

from __future__ import annotations

import contextlib
import dataclasses
import datetime
import logging
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import ops

from certificates import SERVER_NAME, reactive_protocol
from certificates.keypair import KeyPair, NotYetValid, PairRefused
from errors import Blocked, Unready, Waiting, WaitingForCertificate
from related import RelatedCharm
from statuses import active, blocked, waiting
from text import fingerprint

if TYPE_CHECKING:
    from certificates import csr_protocol

logger = logging.getLogger(__name__)

ENDPOINT = "certificates"
WARNING_DAYS = 14


@dataclasses.dataclass(frozen=True)
class Issued:
    """What a provider has issued.

    Attributes:
        pair: The pair to serve, checked.
        warning: What an active status says of its expiry; empty while that is far, or where the
            library renews it.
    """

    pair: KeyPair
    warning: str = ""


class Certificates(ops.Object):
    """The relation's requirer.

    ``remembered`` is the Service's address for which a certificate was asked before. A unit that
    leaves makes none of these: the library would throw the application's key away in the leader's
    last hooks. Where the whole application goes, Juju removes its secrets.
    """

    # A check of a pair costs more than the rest of a settled hook, so the fingerprint of the
    # pair that was checked last is remembered.
    _stored = ops.StoredState()

    def __init__(self, charm: RelatedCharm, remembered: str):
        super().__init__(charm, ENDPOINT)
        self._stored.set_default(checked="", expires="")
        self._charm, self._unit = charm, charm.unit
        self._relation = next(iter(charm.related(ENDPOINT)), None)
        self._requirer: csr_protocol.Requirer | None = None
        if not charm.unit.is_leader() or reactive_protocol.is_spoken_by(self._bags()):
            return
        from certificates import csr_protocol

        self._requirer = csr_protocol.Requirer(charm, ENDPOINT, remembered)

    def obtain(self, address: str) -> Issued:
        """Ask for a certificate of the Service at ``address``, and return what that has led to.

        Leader only. A request that has been made is not written again.

        Raises:
            errors.Unready: it has led to none that can be served.
        """
        if not self._relation:
            text = blocked.NO_AUTHORITY(application=self._unit.app.name)
            raise Blocked(text, announced=True)
        if self._requirer:
            return self._obtain_by_csr(self._requirer, address, self._relation.app.name)
        return self._obtain_reactive(self._relation, address)

    def meanwhile(self, pair: KeyPair, problem: Unready) -> Unready:
        """Return why no newer pair has come, with the end of the ``pair`` in use if the authority
        has yet to answer."""
        if isinstance(problem, WaitingForCertificate):
            with contextlib.suppress(PairRefused):
                day = f"{self._expiry(pair):%Y-%m-%d}"
                text = waiting.NEXT_CERTIFICATE(problem=problem, day=day)
                return WaitingForCertificate(text, announced=problem.announced)
        return problem

    def withdraw(self) -> bool:
        """Ask for nothing, and return whether anything was asked: only the leader asks."""
        return bool(self._relation) and self._put(self._relation, reactive_protocol.NOTHING)

    def _obtain_by_csr(
        self, requirer: csr_protocol.Requirer, address: str, provider: str
    ) -> Issued:
        try:
            pair = requirer.obtain(address, provider)
        except (Unready, ops.ModelError, ops.hookcmds.Error):
            raise
        except Exception as error:
            # What cryptography raises at a malformed certificate has no common base.
            logger.warning("the answer of %s cannot be read (%s)", provider, type(error).__name__)
            text = blocked.CERTIFICATE_MALFORMED(command=self._removal(provider))
            raise Blocked(text, announced=True) from error
        try:
            self._expiry(pair)
        except PairRefused as problem:
            raise self._unusable(problem, provider) from problem
        return Issued(pair)

    def _obtain_reactive(self, relation: ops.Relation, address: str) -> Issued:
        """Ask under the name of the answer in use, or under another where none can be served.

        The provider's databags decide, so the next hook or leader goes on where one has died.
        """
        bags, provider = self._bags(), relation.app.name
        replies = reactive_protocol.replies(self._unit.name, bags)
        # The pair in use comes first: it is checked already.
        replies.sort(key=lambda reply: not self._is_checked(reply.pair))
        good, problems = self._checked(replies)
        if good:
            expiry, reply = max(good, key=lambda found: (found[0], found[1].pair.certificate))
            soon = _is_soon(expiry)
            name = reactive_protocol.name_for_renewal(expiry) if soon else reply.name
            self._ask(relation, name, address)
            if not soon:
                return Issued(reply.pair)
            day = f"{expiry:%Y-%m-%d}"
            if any(each.name == name for each in replies):
                # What was asked for in its place lasts no longer.
                return Issued(reply.pair, active.CA_EXPIRES(day=day))
            return Issued(reply.pair, active.CERTIFICATE_EXPIRES(day=day, authority=provider))
        early = next((p for p in problems if isinstance(p, NotYetValid)), None)
        problem = early or next(iter(problems), None)
        anew = bool(problem) and not early
        name = reactive_protocol.name_to_ask(replies, bags, anew=anew)
        self._ask(relation, name, address)
        if not problem:
            raise WaitingForCertificate(waiting.CERTIFICATE(authority=provider), announced=True)
        asks_anew = all(reply.name != name for reply in replies)
        raise self._unusable(problem, provider, asks_anew=asks_anew)

    def _ask(self, relation: ops.Relation, name: str, address: str) -> None:
        values = reactive_protocol.request(self._unit.name, name, [SERVER_NAME, address])
        words = (relation.id, values)
        self._charm.write_once(ENDPOINT, words, lambda: self._put(relation, values))

    def _checked(
        self, replies: Sequence[reactive_protocol.Reply]
    ) -> tuple[list[tuple[datetime.datetime, reactive_protocol.Reply]], list[PairRefused]]:
        """Return the replies that can be served with their ends, and why others cannot.

        The first that does not expire soon is enough.
        """
        good: list[tuple[datetime.datetime, reactive_protocol.Reply]] = []
        problems: list[PairRefused] = []
        for reply in replies:
            try:
                expiry = self._expiry(reply.pair)
            except PairRefused as problem:
                problems.append(problem)
                continue
            good.append((expiry, reply))
            if not _is_soon(expiry):
                break
        return good, problems

    def _unusable(
        self, problem: PairRefused, provider: str, *, asks_anew: bool = False
    ) -> Unready:
        if isinstance(problem, NotYetValid):
            return Waiting(waiting.CERTIFICATE_EARLY(authority=provider, problem=problem))
        if asks_anew:
            return Waiting(waiting.ANOTHER_CERTIFICATE(problem=problem), announced=True)
        command = self._removal(provider)
        text = blocked.CERTIFICATE_UNUSABLE(problem=problem, command=command)
        return Blocked(text, announced=True)

    def _removal(self, provider: str) -> str:
        return f"juju remove-relation {self._unit.app.name}:{ENDPOINT} {provider}"

    def _expiry(self, pair: KeyPair) -> datetime.datetime:
        """Return when ``pair`` expires; raise as `verdict.check` does."""
        if self._is_checked(pair):
            expiry = datetime.datetime.fromisoformat(str(self._stored.expires))
            if expiry > _now():
                return expiry
        from certificates import verdict

        expiry = verdict.check(pair)
        self._stored.expires = expiry.isoformat()
        self._stored.checked = _fingerprint(pair)
        return expiry

    def _is_checked(self, pair: KeyPair) -> bool:
        return self._stored.checked == _fingerprint(pair)

    def _bags(self) -> list[ops.RelationDataContent]:
        if not self._relation:
            return []
        units = sorted(self._relation.units, key=lambda unit: unit.name)
        return [self._relation.data[unit] for unit in units]

    def _put(self, relation: ops.Relation, values: Mapping[str, str]) -> bool:
        data = relation.data[self._unit]
        changed = {key: value for key, value in values.items() if data.get(key, "") != value}
        if changed:
            data.update(changed)
        return bool(changed)


def _is_soon(expiry: datetime.datetime) -> bool:
    return (expiry - _now()).days < WARNING_DAYS


def _fingerprint(pair: KeyPair) -> str:
    return fingerprint(f"{pair.certificate}\0{pair.key}\0{pair.ca}")


def _now() -> datetime.datetime:
    return datetime.datetime.now(datetime.timezone.utc)

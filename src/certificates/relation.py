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
import functools
import logging
from collections.abc import Generator, Mapping, Sequence
from typing import TYPE_CHECKING

import ops

from certificates import SERVER_NAME, keypair, reactive_protocol
from certificates.keypair import KeyPair, NotYetValid, PairRefused
from errors import Blocked, Unready, Waiting, WaitingForCertificate
from memory import Memory
from statuses import active, blocked, waiting
from text import fingerprint

if TYPE_CHECKING:
    from certificates import csr_protocol
    from certificates.verdict import Life

logger = logging.getLogger(__name__)

ENDPOINT = "certificates"
# How the library's labels of secrets begin, as it documents none.
_LIBRARY = "afd8c2bccf834997afce12c2706d2ede-"
# In whose databags a provider answers, which shows its protocol.
_OF_APPLICATION, _OF_UNITS = "application", "units"


@dataclasses.dataclass(frozen=True)
class Issued:
    """What a provider has issued."""

    pair: KeyPair  # The pair to serve, checked.
    # What an active status says of its end; empty while that is far, or the library renews it.
    warning: str = ""


class Certificates:
    """The relation's requirer.

    ``remembered`` is the Service's address for which a certificate was asked before. A unit that
    leaves hands it no event: the library would throw the application's key away in the leader's
    last hooks. Where the whole application goes, Juju removes its secrets.
    """

    def __init__(self, charm: ops.CharmBase, memory: Memory, remembered: str):
        self._memory = memory
        self._charm, self._unit, self._remembered = charm, charm.unit, remembered
        self._relation = next(iter(charm.model.relations[ENDPOINT]), None)

    def on_event(self, event: ops.EventBase) -> None:
        """Let the library of the newer protocol handle ``event``, if that is about the relation.

        Leader only. What an answer keeps it from doing is no error: `obtain` says so.
        """
        if not _is_library_event(event):
            return
        with contextlib.suppress(Blocked), self._reading():
            self._library.on_event(event)

    def obtain(self, address: str, in_use: KeyPair | None) -> Issued:
        """Ask for a certificate of the Service at ``address``, and return what that has led to.

        Leader only. A request that has been made is not written again. The pair ``in_use`` stays
        as long as it is good, of the present authority, and not reissued.

        Raise `errors.Unready` if it has led to none that can be served.
        """
        if not self._relation:
            text = blocked.NO_AUTHORITY(application=self._unit.app.name)
            raise Blocked(text, announced=True)
        if in_use and self._is_known(self._relation, address, in_use):
            return Issued(in_use)
        if reactive_protocol.is_spoken_by(self._bags(self._relation)):
            return self._obtain_reactive(self._relation, address, in_use)
        return self._obtain_by_csr(self._relation, address)

    def meanwhile(self, pair: KeyPair, problem: Unready) -> Unready:
        """Return why no newer pair has come, with the end of the ``pair`` in use if the authority
        has yet to answer."""
        if isinstance(problem, WaitingForCertificate):
            with contextlib.suppress(PairRefused):
                day = f"{_lives(pair)[0].ends:%Y-%m-%d}"
                text = waiting.NEXT_CERTIFICATE(problem=problem, day=day)
                return WaitingForCertificate(text, announced=problem.announced)
        return problem

    def withdraw(self) -> bool:
        """Ask for nothing, and return whether anything was asked: only the leader asks."""
        self._memory.answer = ""
        return bool(self._relation) and self._put(self._relation, reactive_protocol.NOTHING)

    def _obtain_by_csr(self, relation: ops.Relation, address: str) -> Issued:
        with self._reading():
            pair, renewal = self._library.obtain(address, self._provider)
        try:
            life, _ = _lives(pair)
        except PairRefused as problem:
            raise self._unusable(problem) from problem
        answer = self._answer(_OF_APPLICATION, relation, address, pair)
        self._remember(answer, min(renewal, life.ends))
        return Issued(pair)

    def _obtain_reactive(
        self, relation: ops.Relation, address: str, in_use: KeyPair | None
    ) -> Issued:
        """Ask under the name of the answer in use, or under another where none can be served.

        The provider's databags decide, so the next hook or leader goes on where one has died.
        """
        bags = self._bags(relation)
        replies = reactive_protocol.replies(self._unit.name, bags)
        good, problems = _checked(replies)
        if not good:
            raise self._none_good(relation, address, replies, problems)
        reply = max(
            good,
            key=lambda each: (
                not good[each][0].is_late,
                each.pair == in_use,
                good[each][0].ends,
                each.pair.certificate,
            ),
        )
        life, authority = good[reply]
        name = reactive_protocol.name_for_renewal(life.ends) if life.is_late else reply.name
        is_asked = self._ask(relation, name, address)
        if authority.is_late:
            return Issued(reply.pair, active.CA_EXPIRES(day=f"{authority.ends:%Y-%m-%d}"))
        if life.is_late:
            day = f"{life.ends:%Y-%m-%d}"
            text = active.CERTIFICATE_EXPIRES(day=day, authority=self._provider)
            return Issued(reply.pair, text)
        if is_asked:
            answer = self._answer(_OF_UNITS, relation, address, reply.pair)
            self._remember(answer, min(life.renewal, authority.renewal))
        return Issued(reply.pair)

    def _none_good(
        self,
        relation: ops.Relation,
        address: str,
        replies: Sequence[reactive_protocol.Reply],
        problems: Sequence[PairRefused],
    ) -> Unready:
        """Ask anew if time heals none of ``replies``, and return what is waited for."""
        early = next((each for each in problems if isinstance(each, NotYetValid)), None)
        problem = early or next(iter(problems), None)
        anew = bool(problem) and not early
        name = reactive_protocol.name_to_ask(replies, self._bags(relation), anew=anew)
        self._ask(relation, name, address)
        if not problem:
            text = waiting.CERTIFICATE(authority=self._provider)
            return WaitingForCertificate(text, announced=True)
        return self._unusable(problem, asks_anew=all(reply.name != name for reply in replies))

    def _ask(self, relation: ops.Relation, name: str, address: str) -> bool:
        """Ask under ``name``, and return whether Juju has the request."""
        values = reactive_protocol.request(self._unit.name, name, [SERVER_NAME, address])
        words = (relation.id, values)
        return self._memory.write_once(ENDPOINT, words, lambda: self._put(relation, values))

    def _unusable(self, problem: PairRefused, *, asks_anew: bool = False) -> Unready:
        if isinstance(problem, NotYetValid):
            return Waiting(waiting.CERTIFICATE_EARLY(authority=self._provider, problem=problem))
        if asks_anew:
            return Waiting(waiting.ANOTHER_CERTIFICATE(problem=problem), announced=True)
        text = blocked.CERTIFICATE_UNUSABLE(problem=problem, command=self._removal)
        return Blocked(text, announced=True)

    @property
    def _provider(self) -> str:
        return self._relation.app.name if self._relation else ""

    @property
    def _removal(self) -> str:
        provider = self._provider
        return f"juju remove-relation {self._unit.app.name}:{ENDPOINT} {provider}"

    @contextlib.contextmanager
    def _reading(self) -> Generator[None]:
        """Raise what the library raises at a malformed answer of the provider as `Blocked`."""
        try:
            yield
        except (Unready, ops.ModelError, ops.hookcmds.Error):
            raise
        except Exception as error:
            # What cryptography raises at a malformed certificate has no common base.
            kind = type(error).__name__
            logger.warning("the answer of %s cannot be read (%s)", self._provider, kind)
            text = blocked.CERTIFICATE_MALFORMED(command=self._removal)
            raise Blocked(text, announced=True) from error

    @functools.cached_property
    def _library(self) -> csr_protocol.Requirer:
        # Its import takes longer than the rest of a settled hook.
        from certificates import csr_protocol

        return csr_protocol.Requirer(self._charm, ENDPOINT, self._remembered)

    def _is_known(self, relation: ops.Relation, address: str, in_use: KeyPair) -> bool:
        """Return whether the provider's answer is still the one that ``in_use`` came from."""
        until, _, rest = self._memory.answer.partition(" ")
        if not until or keypair.now() >= datetime.datetime.fromisoformat(until):
            return False
        return rest == self._answer(rest.partition(" ")[0], relation, address, in_use)

    def _remember(self, answer: str, until: datetime.datetime) -> None:
        """Remember the answer that the pair in use came from, and until when that is all there is
        to know: to read an answer takes longer than the rest of a settled hook."""
        self._memory.answer = f"{until.isoformat()} {answer}"

    def _answer(self, whose: str, relation: ops.Relation, address: str, pair: KeyPair) -> str:
        """Return a name for all that decides whether the provider has answered with ``pair``."""
        apps = (relation.app, self._unit.app) if whose == _OF_APPLICATION else ()
        bags = [relation.data[app] for app in apps] or self._bags(relation)
        read = [sorted(bag.items()) for bag in bags]
        # A KeyPair's repr leaves out its key.
        return f"{whose} {fingerprint(repr((address, read, pair, pair.key)))}"

    def _bags(self, relation: ops.Relation) -> list[ops.RelationDataContent]:
        units = sorted(relation.units, key=lambda unit: unit.name)
        return [relation.data[unit] for unit in units]

    def _put(self, relation: ops.Relation, values: Mapping[str, str]) -> bool:
        data = relation.data[self._unit]
        changed = {key: value for key, value in values.items() if data.get(key, "") != value}
        if changed:
            data.update(changed)
        return bool(changed)


def _is_library_event(event: ops.EventBase) -> bool:
    """Return whether the library of the newer protocol handles ``event``."""
    if isinstance(event, ops.SecretExpiredEvent | ops.SecretRemoveEvent):
        return (event.secret.label or "").startswith(_LIBRARY)
    return isinstance(event, ops.RelationBrokenEvent) and event.relation.name == ENDPOINT


def _checked(
    replies: Sequence[reactive_protocol.Reply],
) -> tuple[dict[reactive_protocol.Reply, tuple[Life, Life]], list[PairRefused]]:
    """Return how long the replies that can be served are good, with their authorities, and why
    others cannot."""
    good: dict[reactive_protocol.Reply, tuple[Life, Life]] = {}
    problems: list[PairRefused] = []
    for reply in replies:
        try:
            good[reply] = _lives(reply.pair)
        except PairRefused as problem:
            problems.append(problem)
    return good, problems


def _lives(pair: KeyPair) -> tuple[Life, Life]:
    """Return how long ``pair`` and its authority are good; raise as `verdict.check` does."""
    # Its library takes long to import.
    from certificates import verdict

    return verdict.check(pair)
